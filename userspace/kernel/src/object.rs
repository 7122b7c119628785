//! The program as it was built, and its map values as aya takes them.

#![allow(unsafe_code)]

use aya::{Pod, include_bytes_aligned};
use sekisho_abi::{Entry, PrefixKey};

/// The ELF object with program and maps.
pub(crate) const OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sekisho-xdp"));

/// Name of the program in the object.
pub(crate) const PROGRAM: &str = "sekisho";

/// A type of the abi, as aya takes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Raw<T>(pub(crate) T);

/// Types of the abi that are plain octets.
pub(crate) trait Plain: Copy + 'static {}

impl Plain for Entry {}
impl Plain for PrefixKey {}

// SAFETY: the types that are `Plain` are `repr(C)` or transparent, made of integers alone and without padding (held by
// tests in sekisho-abi), so that any octets are a value and every octet of a value is defined.
unsafe impl<T: Plain> Pod for Raw<T> {}
