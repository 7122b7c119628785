//! The two documents an operator writes: syntax with places, checked into types.
