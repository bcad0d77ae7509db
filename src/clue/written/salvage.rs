//! What is sound of a file that is not sound as a whole: one entry with a wrong field does not take the others with it.

use super::schema::File;
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// Something that is wrong, and where in the file.
pub type Wrong = (Range<usize>, String);

/// The entries that are sound, and what is wrong with the others. A file that is no TOML has none.
pub fn salvage(text: &str) -> (File, Vec<Wrong>) {
    let mut file = File::default();
    let mut wrong = Vec::new();
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => return (file, vec![told(error)]),
    };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "rule" => file.rule = entries(value, &mut wrong),
            "benign" => file.benign = entries(value, &mut wrong),
            "exit" => file.exit = entries(value, &mut wrong),
            "fallback" => file.fallback = entries(value, &mut wrong),
            "verbs" => file.verbs = entry(value).map_err(|error| wrong.push(error)).unwrap_or_default(),
            other => {
                wrong.push((
                    key.span(),
                    format!("unknown key `{other}`, expected [[rule]], [[benign]], [[exit]], [[fallback]] or [verbs]"),
                ));
            }
        }
    }
    (file, wrong)
}

fn entries<T: DeserializeOwned>(value: Spanned<DeValue>, wrong: &mut Vec<Wrong>) -> Vec<T> {
    let place = value.span();
    let DeValue::Array(values) = value.into_inner() else {
        wrong.push((place, "expected entries, each under a header in double brackets: [[rule]]".to_owned()));
        return Vec::new();
    };
    values.into_iter().filter_map(|value| entry(value).map_err(|error| wrong.push(error)).ok()).collect()
}

fn entry<T: DeserializeOwned>(value: Spanned<DeValue>) -> Result<T, Wrong> {
    let place = value.span();
    T::deserialize(value.into_deserializer()).map_err(|error| {
        let (span, text) = told(error);
        (if span == (0..0) { place } else { span }, text)
    })
}

/// What is wrong with its field; the library shows the keys on the way to it where it does not show the text.
pub fn told(mut error: Error) -> Wrong {
    let span = error.span().unwrap_or(0..0);
    error.set_input(None);
    (span, error.to_string().trim_end().replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, further: &str) -> String {
        format!("[[rule]]\nid = \"{id}\"\npattern = \"lost it\"\nsource = \"s\"\nfires = []\nsilent = []\n{further}\n")
    }

    #[test]
    fn a_wrong_entry_does_not_take_the_others_with_it() {
        let text = [rule("a", "path = 3"), rule("b", ""), rule("c", "colour = \"red\"")].concat();
        let (file, wrong) = salvage(&text);
        assert_eq!(file.rule.iter().map(|rule| rule.id.get_ref().as_str()).collect::<Vec<_>>(), ["b"]);
        let told: Vec<&str> = wrong.iter().map(|(_, text)| text.as_str()).collect();
        assert!(told[0].contains("expected a string") && told[0].contains("`path`"), "{told:?}");
        assert!(told[1].contains("unknown field `colour`, expected one of"), "{told:?}");
        assert_eq!(&text[wrong[0].0.clone()], "3");
    }

    #[test]
    fn what_no_rule_file_has_is_told() {
        for (text, expected) in [
            ("[[rules]]\nid = 1", "unknown key `rules`"),
            ("rule = 3", "double brackets"),
            ("[[rule]]\nid = \"a", "expected"),
            ("[[rule]]\nid = \"a\"", "missing field"),
        ] {
            let (_, wrong) = salvage(text);
            assert!(wrong[0].1.contains(expected), "{text}: {wrong:?}");
        }
    }
}
