//! `explain COMMAND…`
fn main() {}
