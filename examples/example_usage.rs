//! The flow of the README.
fn main() {
    coding_env::enter_role();
}
