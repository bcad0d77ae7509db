//! What those who write rules ask of them: whether their examples hold, what is odd about them, and a page that lists them.

mod examples;
mod review;
mod table;

pub use examples::Tested;
pub use review::Reviewed;
