//! Load generator, home server, relay, and side-by-side runs against peers.
