//! What was read of the machine, by question: it travels in the report so that a diagnosis can be repeated elsewhere.

use super::Answer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Answers by question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(BTreeMap<String, serde_json::Value>);

impl Record {
    /// The answer to a question, where it was recorded and has the form that is asked for.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<Answer<T>> {
        self.0.get(key).and_then(|value| serde_json::from_value(value.clone()).ok())
    }

    /// Keeps an answer.
    pub fn put<T: Serialize>(&mut self, key: &str, answer: &Answer<T>) {
        if let Ok(value) = serde_json::to_value(answer) {
            self.0.insert(key.to_owned(), value);
        }
    }
}
