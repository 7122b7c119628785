//! The examples are what a new operator starts from: they pass the check.

use std::path::Path;

#[test]
fn the_examples_pass_the_check() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (node, customers, _) = sekisho_config::load(&path, &|_| None).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(node.name, "trial");
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0].serviceable(), Ok(()));
}
