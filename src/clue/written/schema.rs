//! What a rule file may hold. docs/rules.md teaches it; a file with anything else is refused, and the error names the line.

use super::Operation;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// One file of `rules/`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// What programs say when they fail.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// Exit statuses that are an answer and no failure.
    #[serde(default)]
    pub benign: Vec<Benign>,
    /// What an exit status says where the program says nothing else.
    #[serde(default)]
    pub exit: Vec<Exit>,
    /// Causes that an errno suggests where no rule knows better.
    #[serde(default)]
    pub fallback: Vec<Fallback>,
    /// What programs call an operation: `create directory` is `mkdir`.
    #[serde(default)]
    pub verbs: BTreeMap<String, Operation>,
}

/// What a program says, and what follows from it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("anyOf" = [{"required": ["pattern"]}, {"required": ["patterns"]}])))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the file, and any may stand with another")]
pub struct Rule {
    /// The stable name; a later rule of the same id replaces an earlier one.
    #[cfg_attr(test, schemars(with = "names::Id"))]
    pub id: Spanned<String>,
    /// The form of the message: a regular expression with placeholders.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pattern: Option<Spanned<String>>,
    /// Several forms of it: other versions, other languages.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub patterns: Vec<Spanned<String>>,
    /// Programs of the command line that the rule is for; empty: all.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Forms of lines that are another message, though one of the patterns matches.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub unless: Vec<Spanned<String>>,
    /// Other lines near the message: they fill what it leaves open, or are needed.
    #[serde(default)]
    pub near: Vec<Near>,
    /// Who says so, where the message does not tell.
    pub program: Option<String>,
    /// What was tried, where the message does not tell.
    pub operation: Option<Operation>,
    /// The errno's name, where the message does not tell.
    #[cfg_attr(test, schemars(with = "Option<names::Errno>"))]
    pub errno: Option<Spanned<String>>,
    /// The path by convention, where the message does not tell; `~` and `$NAME`, `${NAME}` or `${NAME:-default}` stand for the child's.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub path: Option<Spanned<String>>,
    /// The directories in which the path was looked for, where that is not the working directory: `{other}/..` is that of the file which
    /// the message names as `other`, `{subject}` each of a list, `${-I}` each value of an option.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub looked_in: Vec<Spanned<String>>,
    /// The forms of the path that were tried there, such as `{path}.js`; empty: the path as it is.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub looked_for: Vec<Spanned<String>>,
    /// Another subject, where the message does not tell.
    pub subject: Option<String>,
    /// Ids of causes, the likeliest first.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<names::Cause>"))]
    pub suspects: Vec<Spanned<String>>,
    /// The message tells that something failed and not what.
    #[serde(default)]
    pub vague: bool,
    /// The message tells that the failure before it was expected or dealt with.
    #[serde(default)]
    pub handled: bool,
    /// Programs say so on many runs and go on: it is hardly ever why one failed.
    #[serde(default)]
    pub passing: bool,
    /// The message is too little to say anything of a saved log: the suspects are asked of a command that ran alone.
    #[serde(default)]
    pub live: bool,
    /// The patterns are words of a message in any form: they are looked for at the end of an output in which nothing else explains the
    /// failure, and the path is the one that the line names.
    #[serde(default)]
    pub loose: bool,
    /// The log to which the message points, which is read as further output: `{path}` and `{subject}` stand for what the message names.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub log: Option<Spanned<String>>,
    /// Of the log only what follows the last line of this form counts.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub log_from: Option<Spanned<String>>,
    /// Of the log only what precedes the last line of this form counts, with the line itself.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub log_to: Option<Spanned<String>>,
    /// Where the message was seen: an address, or a package with its version.
    pub source: String,
    /// Output in which the rule must fire.
    pub fires: Vec<Example>,
    /// Output in which it must not.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub silent: Vec<Spanned<String>>,
}

/// A line near the message.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Near {
    /// Its form.
    #[cfg_attr(test, schemars(with = "String"))]
    pub pattern: Spanned<String>,
    /// Whether the rule fires only when the line is there.
    #[serde(default)]
    pub required: bool,
}

/// Output in which a rule fires, and what it must find there.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "a table, as { text = \"…\" }")]
pub struct Example {
    /// The output.
    #[cfg_attr(test, schemars(with = "String"))]
    pub text: Spanned<String>,
    /// The errno's name.
    pub errno: Option<String>,
    /// What was tried.
    pub operation: Option<Operation>,
    /// The path as the program wrote it.
    pub path: Option<String>,
    /// The other end of a rename or link.
    pub other: Option<String>,
    /// Another subject.
    pub subject: Option<String>,
    /// Who said so.
    pub program: Option<String>,
    /// The log to which it points.
    pub log: Option<String>,
    /// The locale in which the output was written, such as `de_DE.UTF-8`; where it is not installed the example is not run.
    pub locale: Option<String>,
}

/// Exit statuses of a program that are an answer: `grep` ends with 1 when no line matched.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Benign {
    /// The last component of the command's first word.
    pub program: String,
    /// The statuses.
    #[cfg_attr(test, schemars(with = "Vec<names::Status>"))]
    pub status: Vec<Spanned<i32>>,
    /// What they mean, as a fragment.
    pub meaning: String,
    /// Arguments of which one must be there, or words that must all be there (`diff --quiet`); empty: whatever the arguments are. `-e`
    /// is also given by `-re`.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The program has the status for failures too: it is an answer only where the output tells of none.
    #[serde(default)]
    pub quiet: bool,
    /// With `quiet`: names of errnos that the answer itself has. What is asked for is not there.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The manual or source that says so.
    pub source: String,
    /// Command lines for which it holds.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub fires: Vec<Spanned<String>>,
    /// Command lines for which it does not.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub silent: Vec<Spanned<String>>,
}

/// Exit statuses by which a program tells what failed, for when it was told to be quiet: `curl --silent` ends with 23 when it could
/// not write.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exit {
    /// The last component of the command's first word.
    pub program: String,
    /// The statuses.
    #[cfg_attr(test, schemars(with = "Vec<names::Status>"))]
    pub status: Vec<Spanned<i32>>,
    /// What failed, as a fragment.
    pub meaning: String,
    /// As in `[[benign]]`: arguments of which one must be there.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// What was tried.
    pub operation: Option<Operation>,
    /// Options whose value is the path that it was tried on.
    #[serde(default)]
    pub option: Vec<String>,
    /// Ids of causes, the likeliest first; empty: what failed is not on this machine, and nothing is looked for.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<names::Cause>"))]
    pub suspects: Vec<Spanned<String>>,
    /// The status tells that something failed and not what.
    #[serde(default)]
    pub vague: bool,
    /// The status tells that a server answered with an error: what stands in the output beside the program's own lines may be its answer.
    #[serde(default)]
    pub answered: bool,
    /// The manual or source that says so.
    pub source: String,
    /// Command lines for which it holds.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub fires: Vec<Spanned<String>>,
}

/// Causes that an errno suggests.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fallback {
    /// The errno's name.
    #[cfg_attr(test, schemars(with = "names::Errno"))]
    pub errno: Spanned<String>,
    /// What was tried; empty: whatever it was.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// Ids of causes, the likeliest first.
    #[cfg_attr(test, schemars(with = "Vec<names::Cause>"))]
    pub suspects: Vec<Spanned<String>>,
}

/// Names that editors offer, and what else a field may hold.
#[cfg(test)]
mod names {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use std::borrow::Cow;

    /// The name of a rule.
    pub struct Id;

    /// An exit status of a failure.
    pub struct Status;

    impl JsonSchema for Id {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "Id".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "string", "pattern": "^\\S+$" })
        }
    }

    impl JsonSchema for Status {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "Status".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "integer", "minimum": 1, "maximum": 255 })
        }
    }

    /// The id of a cause.
    pub struct Cause;

    /// The name of an errno.
    pub struct Errno;

    impl JsonSchema for Cause {
        fn schema_name() -> Cow<'static, str> {
            "Cause".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let ids: Vec<_> = crate::cause::ALL.iter().map(|cause| cause.id).collect();
            json_schema!({ "type": "string", "enum": ids })
        }
    }

    impl JsonSchema for Errno {
        fn schema_name() -> Cow<'static, str> {
            "Errno".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let aliases = ["EDEADLOCK", "ENOTSUP", "EWOULDBLOCK"].map(str::to_owned);
            let names: Vec<_> = crate::sys::errno::all().map(crate::sys::errno::name).chain(aliases).collect();
            json_schema!({ "type": "string", "enum": names })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::File;
    use schemars::generate::SchemaSettings;

    /// What editors are told, from the types above.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test of the source tree")]
    fn the_schema_for_editors_is_up_to_date() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rule.schema.json");
        // Draft 7, which the editors' servers for TOML know best.
        let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<File>();
        schema.insert("title".to_owned(), "Rules of explain".into());
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(file, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == schema, "docs/rule.schema.json is stale: UPDATE=1 cargo test --lib schema");
    }
}
