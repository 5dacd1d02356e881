//! Finds the tests of a file as pytest's are: by their names alone. Pure.

/// The longest name of a test, with its class.
const NAME_BYTES_MAX: usize = 256;

/// A file of tests, and what there is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestCheck {
    pub(crate) source: String,
    pub(crate) tests: Vec<Test>,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// `test_a`, or `TestB.test_c`.
    pub(crate) name: String,
}

impl Test {
    /// The source that runs it.
    pub(super) fn source(&self) -> String {
        match self.name.split_once('.') {
            Some((class, method)) => format!("{class}().{method}()"),
            None => format!("{}()", self.name),
        }
    }
}

impl TestCheck {
    /// The tests of a source, in its order: functions `test…` that begin a line, and methods `test…` of classes `Test…` that do, each name once.
    pub(crate) fn new(source: String) -> Self {
        let mut tests: Vec<Test> = Vec::new();
        let mut class = None;
        for line in source.lines() {
            let code = line.trim_start();
            if code.is_empty() || code.starts_with('#') {
                continue;
            }
            let is_top = code.len() == line.len();
            if is_top {
                class = name_after(code, "class")
                    .filter(|name| name.starts_with("Test") && name.len() < NAME_BYTES_MAX / 2);
            }
            let Some(name) = name_after(code, "def").filter(|name| is_test(name)) else {
                continue;
            };
            let name = match class {
                None if is_top => name.to_owned(),
                Some(class) if !is_top => format!("{class}.{name}"),
                _ => continue,
            };
            if !tests.iter().any(|test| test.name == name) {
                tests.push(Test { name });
            }
        }
        Self { source, tests }
    }
}

/// Whether a name is a test's, and not too long, also behind that of a class.
fn is_test(name: &str) -> bool {
    name.starts_with("test") && name.len() < NAME_BYTES_MAX / 2
}

/// The name behind a keyword.
fn name_after<'a>(code: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = code.strip_prefix(keyword)?;
    let name = rest.strip_prefix([' ', '\t'])?.trim_start();
    let end = name
        .find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .unwrap_or(name.len());
    name.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn tests_are_found_by_their_names() {
        let check = TestCheck::new(
            "\
import x
def helper(): pass
def test_a():
    def test_inner(): pass
def test_a(): pass  # again
async def test_async(): pass
class TestB:
    x = 1

    # a comment
    def test_c(self): pass
    def helper(self): pass
class Other:
    def test_d(self): pass
def\ttesting ( ): pass
@decorated
def test_e(): pass
if True:
    def test_f(): pass
text = 'def test_g(): pass'
"
            .to_owned(),
        );
        let names: Vec<&str> = check.tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["test_a", "TestB.test_c", "testing", "test_e"]);
        let sources: Vec<String> = check.tests.iter().map(Test::source).collect();
        assert_eq!(
            sources,
            ["test_a()", "TestB().test_c()", "testing()", "test_e()"]
        );
    }
}
