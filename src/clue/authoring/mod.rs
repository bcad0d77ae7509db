//! What those who write rules ask of them: whether their examples hold, what is odd about them, and a page that lists them.

mod examples;
mod origin;
mod review;
mod table;

pub use examples::Tested;
pub use origin::Origin;
pub use review::Reviewed;
