//! Customers, contracts and their rules, compiled for the engine and the gate.
