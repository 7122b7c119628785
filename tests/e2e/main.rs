//! sekisho among real peers, in network namespaces. One file a behaviour; `sekisho_tests` is what they stand on.

mod harness;
