//! Exceptions for what a program itself did wrong (`TypeError`, `NullPointerException`): they end it and tell of no file, whatever their text is.

/// Exceptions for what a program itself did wrong, which tell of no file: those of Python, and of JavaScript, Ruby and Java where they are
/// called otherwise.
const OWN_FAULTS: &[&str] = &[
    "ArgumentError",
    "ArithmeticError",
    "ArithmeticException",
    "ArrayIndexOutOfBoundsException",
    "AssertionError",
    "AssertionFailedError",
    "AttributeError",
    "ClassCastException",
    "ComparisonFailure",
    "ExpectationNotMetError",
    "FrozenError",
    "ImportError",
    "IndexError",
    "IndexOutOfBoundsException",
    "JSONDecodeError",
    "KeyError",
    "LookupError",
    "ModuleNotFoundError",
    "NameError",
    "NoMethodError",
    "NoSuchElementException",
    "NotImplementedError",
    "NullPointerException",
    "NumberFormatException",
    "RangeError",
    "RecursionError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "ValueError",
    "ZeroDivisionError",
];

/// What stands before an exception that nobody caught: PHP, Deno and browsers, Java.
const UNCAUGHT: &[&str] = &["Uncaught (in promise) ", "Uncaught ", "Exception in thread "];

/// Whether a line is an exception for what a program itself did wrong, which tells of no file.
#[must_use]
pub fn is_own_fault(line: &str) -> bool {
    let caught = UNCAUGHT.iter().find_map(|words| line.split_once(words)).map_or(line, |(_, rest)| rest);
    let caught = caught.strip_prefix("** (").unwrap_or(caught);
    // Java names the thread, Elixir the exception in brackets, and Ruby the exception last.
    let caught = if caught.starts_with('"') { caught.split(' ').nth(1).unwrap_or_default() } else { caught };
    let last = line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")).map_or("", |(_, last)| last);
    let is_one = |name: &str| OWN_FAULTS.contains(&name.rsplit(['.', ':', '\\']).next().unwrap_or_default());
    let first = caught.split([' ', '(', ')']).next().unwrap_or_default().trim_end_matches(':');
    is_one(first) || is_one(last) || line.starts_with("panic: runtime error: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_of_programs_are_known_in_several_languages() {
        for line in [
            "TypeError: x is not a function",
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
            "AssertionError [ERR_ASSERTION]: false == true",
            "PHP Fatal error:  Uncaught TypeError: f(): Argument #1",
            "error: Uncaught (in promise) ReferenceError: x is not defined",
            "Exception in thread \"main\" java.lang.NullPointerException: Cannot invoke",
            "a.rb:1:in `<main>': undefined method `x' for nil:NilClass (NoMethodError)",
            "panic: runtime error: index out of range [3] with length 3",
            "** (ArgumentError) bad line",
            "org.opentest4j.AssertionFailedError: expected: <1> but was: <2>",
            "KeyError",
        ] {
            assert!(is_own_fault(line), "{line}");
        }
        for line in [
            "OSError: [Errno 30] Read-only file system: 'x'",
            "a.rb:1:in `initialize': No such file or directory @ rb_sysopen - x (Errno::ENOENT)",
            "Exception in thread \"main\" java.io.FileNotFoundException: x (Read-only file system)",
            "panic: open x: read-only file system",
            "error: x (TypeErrors are listed below)",
        ] {
            assert!(!is_own_fault(line), "{line}");
        }
    }
}
