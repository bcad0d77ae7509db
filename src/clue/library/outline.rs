//! A quick way through a file of one's own rules: where each `[[rule]]` stands, its id and its patterns, without the values that serde would
//! make of it. Of ten thousand rules a failure needs a few, and the others are never read further.
//!
//! The tokens are those of `toml_parser`, on which `toml` itself is built, so that strings and escapes mean the same. Only files of `[[rule]]`
//! tables with the fields below have an answer. Any other is read by `toml`, which alone tells what is wrong with it: see
//! [`super::rule::Rule::at_a_glance`]. A test shows with random files that both say the same wherever both have an answer.

use crate::clue::Operation;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{CowStrDeserializer, Error};
use std::borrow::Cow;
use std::ops::Range;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::lexer::{Lexer, Token, TokenKind};
use toml_parser::{ParseError, Raw, Source};

/// A rule of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Outline<'t> {
    /// Where it stands, from its header to the next one.
    pub place: Range<usize>,
    /// What it says, where it is of the plain form and sound as an entry; its patterns and its errno may be wrong yet.
    pub says: Option<Says<'t>>,
}

/// What is to be known of a rule before a line may need it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Says<'t> {
    pub id: Cow<'t, str>,
    pub patterns: Vec<Cow<'t, str>>,
    /// Patterns for lines beside the message, and for the part of a log that it names.
    pub beside: Vec<Cow<'t, str>>,
    pub errno: Option<Cow<'t, str>>,
}

/// The rules of a file that holds nothing else; none of any other file. Each is sound as it stands if the text at its place is.
pub fn outline(text: &str) -> Option<Vec<Outline<'_>>> {
    let mut outlines = Vec::new();
    let mut tokens = Tokens::at(text, 0);
    tokens.blank()?;
    while tokens.ahead.is_some() {
        let start = tokens.offset();
        tokens.header()?;
        let below = tokens.offset();
        let mut says = tokens.rule();
        if says.is_none() {
            tokens = Tokens::at(text, below);
            tokens.pass_over()?;
        }
        says = says.filter(|says| !says.patterns.is_empty());
        outlines.push(Outline { place: start..tokens.offset(), says });
    }
    Some(outlines)
}

/// What a field may hold.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Flag,
    Operation,
    Near,
    Examples,
}

struct Field {
    name: &'static str,
    kind: Kind,
    is_required: bool,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: false }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: true }
}

/// Fields of [`crate::clue::written::schema::Rule`], but for `loose`: the patterns of such a rule stand for more than they say.
const OF_RULE: &[Field] = &[
    required("id", Kind::Text),
    field("pattern", Kind::Text),
    field("patterns", Kind::Texts),
    field("commands", Kind::Texts),
    field("program", Kind::Text),
    field("operation", Kind::Operation),
    field("errno", Kind::Text),
    field("path", Kind::Text),
    field("looked-in", Kind::Texts),
    field("looked-for", Kind::Texts),
    field("subject", Kind::Text),
    field("suspects", Kind::Texts),
    field("vague", Kind::Flag),
    field("handled", Kind::Flag),
    field("passing", Kind::Flag),
    field("live", Kind::Flag),
    field("unless", Kind::Texts),
    field("near", Kind::Near),
    field("log", Kind::Text),
    field("log-from", Kind::Text),
    field("log-to", Kind::Text),
    required("source", Kind::Text),
    required("fires", Kind::Examples),
    required("silent", Kind::Texts),
];

/// Those of [`crate::clue::written::schema::Near`].
const OF_NEAR: &[Field] = &[required("pattern", Kind::Text), field("required", Kind::Flag)];

/// Those of [`crate::clue::written::schema::Example`].
const OF_EXAMPLE: &[Field] = &[
    required("text", Kind::Text),
    field("errno", Kind::Text),
    field("operation", Kind::Operation),
    field("path", Kind::Text),
    field("other", Kind::Text),
    field("subject", Kind::Text),
    field("program", Kind::Text),
    field("log", Kind::Text),
    field("locale", Kind::Text),
];

/// What a field holds.
enum Value<'t> {
    Text(Cow<'t, str>),
    Texts(Vec<Cow<'t, str>>),
    /// What is sound and of no interest here.
    Other,
}

/// The fields of an entry that were read, by their bits.
struct Seen {
    fields: &'static [Field],
    bits: u32,
}

impl Seen {
    fn none(fields: &'static [Field]) -> Self {
        Self { fields, bits: 0 }
    }

    /// The field of a name that was not there before.
    fn add(&mut self, name: &str) -> Option<&'static Field> {
        let place = self.fields.iter().position(|field| field.name == name)?;
        let is_new = self.bits & (1 << place) == 0;
        self.bits |= 1 << place;
        self.fields.get(place).filter(|_| is_new)
    }

    /// Some where every field is there that must be.
    fn complete(&self) -> Option<()> {
        let is_there = |place: usize| self.bits & (1 << place) != 0;
        let is_complete = self.fields.iter().enumerate().all(|(place, field)| is_there(place) || !field.is_required);
        is_complete.then_some(())
    }
}

/// The tokens of a file from an offset on. Every question is answered by none where the text is not of the plain form.
struct Tokens<'t> {
    text: &'t str,
    /// Where the lexer began.
    base: usize,
    lexer: Lexer<'t>,
    /// The next token; none at the end.
    ahead: Option<Token>,
}

impl<'t> Tokens<'t> {
    fn at(text: &'t str, base: usize) -> Self {
        let mut tokens = Self { text, base, lexer: Source::new(&text[base..]).lex(), ahead: None };
        tokens.advance();
        tokens
    }

    fn advance(&mut self) -> Option<Token> {
        let next = self.lexer.next().filter(|token| token.kind() != TokenKind::Eof);
        std::mem::replace(&mut self.ahead, next)
    }

    /// Where the next token begins.
    fn offset(&self) -> usize {
        self.ahead.map_or(self.text.len(), |token| self.base + token.span().start())
    }

    fn kind(&self) -> Option<TokenKind> {
        self.ahead.map(|token| token.kind())
    }

    /// Takes the next token where it is of a kind.
    fn take(&mut self, kind: TokenKind) -> Option<&'t str> {
        self.ahead.filter(|token| token.kind() == kind)?;
        let token = self.advance()?;
        self.text.get(self.base + token.span().start()..self.base + token.span().end())
    }

    fn space(&mut self) {
        self.take(TokenKind::Whitespace);
    }

    /// Passes over blanks, comments and ends of lines.
    fn blank(&mut self) -> Option<()> {
        loop {
            match self.kind() {
                Some(TokenKind::Whitespace) => self.space(),
                Some(TokenKind::Newline) => self.line_end()?,
                Some(TokenKind::Comment) => self.comment()?,
                _ => return Some(()),
            }
        }
    }

    fn line_end(&mut self) -> Option<()> {
        let newline = self.take(TokenKind::Newline)?;
        (newline != "\r").then_some(())
    }

    fn comment(&mut self) -> Option<()> {
        let span = self.ahead?.span();
        let mut wrong: Option<ParseError> = None;
        Raw::new_unchecked(self.take(TokenKind::Comment)?, None, span).decode_comment(&mut wrong);
        wrong.is_none().then_some(())
    }

    /// What may stand behind a header or a value.
    fn rest_of_line(&mut self) -> Option<()> {
        self.space();
        if self.kind() == Some(TokenKind::Comment) {
            self.comment()?;
        }
        if self.ahead.is_none() { Some(()) } else { self.line_end() }
    }

    /// `[[rule]]` as a line of its own.
    fn header(&mut self) -> Option<()> {
        use TokenKind::{Atom, LeftSquareBracket, RightSquareBracket};
        for kind in [LeftSquareBracket, LeftSquareBracket, Atom, RightSquareBracket, RightSquareBracket] {
            let is_name = kind == Atom;
            let spelled = self.take(kind)?;
            if is_name && spelled != "rule" {
                return None;
            }
        }
        self.rest_of_line()
    }

    /// The lines below a header.
    fn rule(&mut self) -> Option<Says<'t>> {
        let (mut says, mut seen) = (Says::default(), Seen::none(OF_RULE));
        let (mut has_log, mut has_part) = (false, false);
        self.blank()?;
        while self.kind() == Some(TokenKind::Atom) {
            match self.field(&mut seen)? {
                ("id", Value::Text(id)) => says.id = id,
                ("pattern", Value::Text(pattern)) => says.patterns.insert(0, pattern),
                ("patterns", Value::Texts(patterns)) => says.patterns.extend(patterns),
                ("errno", Value::Text(errno)) => says.errno = Some(errno),
                ("near" | "unless", Value::Texts(patterns)) => says.beside.extend(patterns),
                ("log", _) => has_log = true,
                ("log-from" | "log-to", Value::Text(pattern)) => {
                    has_part = true;
                    says.beside.push(pattern);
                }
                _ => {}
            }
            self.rest_of_line()?;
            self.blank()?;
        }
        seen.complete().filter(|()| has_log || !has_part)?;
        matches!(self.kind(), None | Some(TokenKind::LeftSquareBracket)).then_some(says)
    }

    /// Goes on to the next `[[rule]]`; none where another table comes before it.
    fn pass_over(&mut self) -> Option<()> {
        let (mut depth, mut is_at_start) = (0_usize, true);
        while let Some(token) = self.ahead {
            match token.kind() {
                TokenKind::LeftSquareBracket if depth == 0 && is_at_start => {
                    return Self::at(self.text, self.offset()).header();
                }
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.checked_sub(1)?,
                _ => {}
            }
            is_at_start = match token.kind() {
                TokenKind::Newline => true,
                TokenKind::Whitespace => is_at_start,
                _ => false,
            };
            self.advance();
        }
        Some(())
    }

    /// `name = value`.
    fn field(&mut self, seen: &mut Seen) -> Option<(&'static str, Value<'t>)> {
        let field = seen.add(self.take(TokenKind::Atom)?)?;
        self.space();
        self.take(TokenKind::Equals)?;
        self.space();
        Some((field.name, self.value(field.kind)?))
    }

    fn value(&mut self, kind: Kind) -> Option<Value<'t>> {
        match kind {
            Kind::Text => self.string().map(Value::Text),
            Kind::Texts => self.list(Self::string).map(Value::Texts),
            Kind::Flag => matches!(self.take(TokenKind::Atom)?, "true" | "false").then_some(Value::Other),
            Kind::Operation => {
                let name: CowStrDeserializer<Error> = self.string()?.into_deserializer();
                Operation::deserialize(name).ok().map(|_| Value::Other)
            }
            Kind::Near => self.list(Self::near).map(Value::Texts),
            Kind::Examples => self.list(Self::example).map(|_| Value::Other),
        }
    }

    fn string(&mut self) -> Option<Cow<'t, str>> {
        let token = self.ahead?;
        let encoding = match token.kind() {
            TokenKind::LiteralString => Encoding::LiteralString,
            TokenKind::BasicString => Encoding::BasicString,
            TokenKind::MlLiteralString => Encoding::MlLiteralString,
            TokenKind::MlBasicString => Encoding::MlBasicString,
            _ => return None,
        };
        let raw = Raw::new_unchecked(self.take(token.kind())?, Some(encoding), token.span());
        let (mut string, mut wrong): (_, Option<ParseError>) = (Cow::Borrowed(""), None);
        let kind = raw.decode_scalar(&mut string, &mut wrong);
        (kind == ScalarKind::String && wrong.is_none()).then_some(string)
    }

    /// `[ … ]`, over several lines and with a comma behind the last one if need be.
    fn list<T>(&mut self, each: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.take(TokenKind::LeftSquareBracket)?;
        let mut all = Vec::new();
        loop {
            self.blank()?;
            if self.take(TokenKind::RightSquareBracket).is_some() {
                return Some(all);
            }
            all.push(each(self)?);
            self.blank()?;
            if self.take(TokenKind::Comma).is_none() {
                return self.take(TokenKind::RightSquareBracket).map(|_| all);
            }
        }
    }

    /// `{ text = "…", path = "…" }` in one line.
    fn example(&mut self) -> Option<()> {
        self.table(OF_EXAMPLE, |_| {})
    }

    /// The pattern of `{ pattern = "…", required = true }`.
    fn near(&mut self) -> Option<Cow<'t, str>> {
        let mut pattern = None;
        self.table(OF_NEAR, |value| {
            if let Value::Text(text) = value {
                pattern = Some(text);
            }
        })?;
        pattern
    }

    /// A table in one line that has these fields.
    fn table(&mut self, fields: &'static [Field], mut each: impl FnMut(Value<'t>)) -> Option<()> {
        self.take(TokenKind::LeftCurlyBracket)?;
        let mut seen = Seen::none(fields);
        loop {
            self.space();
            let (_, value) = self.field(&mut seen)?;
            each(value);
            self.space();
            if self.take(TokenKind::Comma).is_none() {
                self.take(TokenKind::RightCurlyBracket)?;
                return seen.complete();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clue::written::schema::File;

    const RULE: &str = "[[rule]]\nid = \"a\"\npattern = 'lost it'\nsource = \"s\"\nfires = []\nsilent = []\n";

    fn ids(text: &str) -> Option<Vec<Option<String>>> {
        Some(outline(text)?.into_iter().map(|outline| Some(outline.says?.id.into_owned())).collect())
    }

    #[test]
    fn each_rule_stands_from_its_header_to_the_next() {
        let text = format!("# of frob\n\n{RULE}{}", RULE.replace("\"a\"", "\"b\""));
        let outlines = outline(&text).unwrap();
        assert_eq!(ids(&text), Some(vec![Some("a".to_owned()), Some("b".to_owned())]));
        assert!(text[outlines[1].place.clone()].starts_with("[[rule]]\nid = \"b\""));
        assert_eq!(outlines[1].place.end, text.len());
    }

    #[test]
    fn every_plain_field_is_known() {
        let text = r#"
            [[rule]]  # one of frob
            id = "frob-\u0041"
            patterns = [
                '''lost it''', # then
                'lost {path}',
            ]
            commands = ["frob"]
            program = "frob"
            operation = "watch-instance"
            errno = "ENOSPC"
            path = "~/x"
            subject = "x"
            suspects = []
            vague = true
            handled = false
            passing = false
            live = true
            near = [{ pattern = "by it", required = true }]
            log = "{path}"
            log-from = "from"
            source = """
            s"""
            fires = [
                { text = "a\nb", errno = "EIO", operation = "read", path = "p", other = "o" },
                { text = "c", subject = "s", program = "p", log = "l", locale = "C" },
            ]
            silent = ["x", "y"]"#;
        let says = outline(text).unwrap().remove(0).says.unwrap();
        let patterns: Vec<Cow<str>> = vec!["lost it".into(), "lost {path}".into()];
        let beside = vec!["by it".into(), "from".into()];
        assert_eq!(says, Says { id: "frob-A".into(), patterns, beside, errno: Some("ENOSPC".into()) });
        assert!(toml::from_str::<File>(text).is_ok());
    }

    #[test]
    fn what_has_to_be_read_is_told_with_its_place() {
        for more in
            ["near = [{ colour = \"[[rule]]\" }]", "log-to = \"x\"", "colour = 'red'", "path = 3", "id = 'b'", "x = ["]
        {
            let text = format!("{RULE}{more}\n{RULE}");
            match more {
                "x = [" => assert_eq!(ids(&text), Some(vec![None]), "{more}"),
                _ => assert_eq!(ids(&text), Some(vec![None, Some("a".to_owned())]), "{more}"),
            }
        }
    }

    #[test]
    fn a_file_with_anything_else_is_read_as_a_whole() {
        for more in ["[verbs]\n", "[[benign]]\n", "[rule.x]\n", "[[ rule ]]\n", "[[rule]] x\n"] {
            for text in [format!("{more}{RULE}"), format!("{RULE}{more}"), format!("{RULE}x = 'x'\n{more}")] {
                assert_eq!(outline(&text), None, "{text}");
            }
        }
    }

    /// Lines of sound rules, and what may be put between them.
    const SOUND: &[&str] = &[
        "# of frob\n",
        "[[rule]]\n",
        "id = 'a'\n",
        "pattern = '''lost'''\n",
        "source = \"s\\u0041\"\n",
        "fires = [\n",
        "  { text = 'x', operation = \"read\" }, # c\n",
        "  { text = \"y\" }\n",
        "]\n",
        "silent = ['a', \"b\"]\n",
    ];
    const ODD: &[&str] = &[
        "[[rule]]",
        "[[rule]]\n",
        "id = ",
        "\"a\"\n",
        "pattern = \"\"\"\nx\\q\"\"\"\n",
        "patterns = ['''x\n[[rule]]\n''', 'y',]\n",
        "{ text = \"x\", operation = \"jump\" }",
        ", ",
        "# \u{1}\n",
        "\r\n",
        "\r",
        " \t",
        "near = [{ pattern = \"x\" }]\n",
        "vague = true\n",
        "vague = maybe\n",
        "errno = 'EIO'\n",
        "'''",
        "\"",
        "[",
        "}",
        "id.x = 1\n",
        "\"id\" = 'q'\n",
        "\u{feff}",
        "é",
        "[verbs]\n",
        "= 3\n",
    ];

    #[test]
    fn what_is_told_is_what_toml_reads() {
        let (mut state, mut told) = (7_u64, 0);
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % limit
        };
        for _ in 0..20_000 {
            let mut lines = [SOUND, SOUND].concat();
            for _ in 0..below(4) {
                let at = below(lines.len());
                let odd: Vec<&str> = (0..below(3)).map(|_| ODD[below(ODD.len())]).collect();
                lines.splice(at..at + below(2), odd);
            }
            let text = lines.concat();
            let all_sound = |outlines: &Vec<Outline>| outlines.iter().all(|outline| is_sound(outline, &text));
            let Some(outlines) = outline(&text).filter(all_sound) else { continue };
            told += 1;
            let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(file.rule.len(), outlines.len(), "{text:?}");
            for (rule, outline) in file.rule.iter().zip(outlines) {
                let patterns = rule.pattern.iter().chain(&rule.patterns);
                let patterns = patterns.map(|pattern| pattern.get_ref().as_str().into()).collect();
                let errno = rule.errno.as_ref().map(|errno| errno.get_ref().as_str().into());
                let near = rule.near.iter().map(|near| &near.pattern);
                let beside = near.chain(&rule.log_from).chain(&rule.log_to);
                let beside = beside.map(|pattern| pattern.get_ref().as_str().into()).collect();
                let read = Says { id: rule.id.get_ref().as_str().into(), patterns, beside, errno };
                assert!(outline.says.is_none_or(|says| says == read), "{text:?}");
            }
        }
        assert!(told > 4000, "{told}");
    }

    fn is_sound(outline: &Outline, text: &str) -> bool {
        let is_rule = || toml::from_str::<File>(&text[outline.place.clone()]).is_ok_and(|file| file.rule.len() == 1);
        outline.says.is_some() || is_rule()
    }
}
