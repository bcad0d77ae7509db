//! Several runs of one scene that must have said the same, so that a scenario lists them and not the loop.

use super::Explained;
use explain::cause::Confidence;
use std::path::Path;

/// Runs of one scene; each assertion holds for every one of them.
pub struct Each(pub Vec<Explained>);

impl Each {
    /// Asserts that the first cause of each is this one, about this subject and this sure.
    #[track_caller]
    pub fn assert_first(&self, id: &str, subject: impl AsRef<Path>, confidence: Confidence) {
        for run in &self.0 {
            run.assert_first(id, subject.as_ref(), confidence);
        }
    }

    /// The same, and that none names another cause.
    #[track_caller]
    pub fn assert_only(&self, id: &str, subject: impl AsRef<Path>, confidence: Confidence) {
        for run in &self.0 {
            run.assert_only(id, subject.as_ref(), confidence);
        }
    }

    /// Asserts that the first cause of each is this one, about this subject, whether proven or likely: tools of different words.
    #[track_caller]
    pub fn assert_about(&self, id: &str, subject: impl AsRef<Path>) {
        for run in &self.0 {
            let sure = run.first().confidence;
            assert_ne!(sure, Confidence::Possible, "{id} is only possible{run}");
            run.assert_first(id, subject.as_ref(), sure);
        }
    }

    /// Asserts that each failed and that nothing was said of it.
    #[track_caller]
    pub fn assert_silent(&self) {
        for run in &self.0 {
            run.assert_silent();
        }
    }

    /// Asserts that none names this cause.
    #[track_caller]
    pub fn assert_does_not_name(&self, id: &str) {
        for run in &self.0 {
            run.assert_does_not_name(id);
        }
    }
}
