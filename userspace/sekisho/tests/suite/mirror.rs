//! The copy of the registry that a node leaves on its own disk.

use crate::common::office::Office;
use sekisho::{
    documents::Documents,
    registry::feed::{Feed, mirror},
};

#[tokio::test]
async fn no_copy_is_left_that_has_a_change_and_not_the_document_that_made_it() {
    let office = Office::new();
    office.done(&["apply", "-f", "carriers.toml", "-f", "sakura.toml"]);
    let node = Documents::node(office.path()).unwrap().node;
    let file = node.customers.registry().unwrap().mirror.clone();
    let (mut feed, _) = Feed::open(&node).await.unwrap();
    let copying = feed.copying().unwrap();
    // Somebody is faster.
    office.done(&["apply", "-f", "acme.toml"]);
    assert_eq!(mirror(copying).await, Ok(false));
    assert!(!file.exists());
    assert!(feed.connect().await.unwrap().history);
    assert_eq!(mirror(feed.copying().unwrap()).await, Ok(true));
    assert!(file.exists());
}
