//! A User-Name taken apart: where its realm stands, and what a carrier has put behind it.
//!
//! Names are looked at as they came; only realms are compared in canonical form ([`sekisho_wire::nai`]).

use sekisho_wire::nai;

/// Where in a User-Name its realm was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// After the last `@`.
    Suffix,
    /// Before the first `/`.
    Prefix,
    /// Before the first `\`.
    NtDomain,
    /// Not in it, or all of it.
    Elsewhere,
}

/// What precedes the first `\`: a Windows domain, which is no part of an NAI. `None` if there is none or nothing precedes.
pub(crate) fn nt_domain(name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().position(|&octet| octet == b'\\')?;
    name.get(..at).filter(|domain| !domain.is_empty())
}

/// Whether a name is one word: neither `@` nor `/` nor `\` is in it.
pub(crate) fn is_bare(name: &[u8]) -> bool {
    !name.iter().any(|octet| matches!(octet, b'@' | b'/' | b'\\'))
}

/// A name without the carrier's suffix, given in canonical form, where it has that.
pub(crate) fn without_outer<'n>(name: &'n [u8], outer: Option<&[u8]>) -> &'n [u8] {
    let (Some(outer), Some(suffix)) = (outer, nai::realm_suffix(name)) else { return name };
    match nai::canonical(suffix, &mut [0; 255]) {
        Some(canonical) if canonical == outer => name.get(..name.len() - suffix.len() - 1).unwrap_or(name),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carriers_suffix_comes_off_once_and_only_where_it_is() {
        let outer =
            |name: &'static str| str::from_utf8(without_outer(name.as_bytes(), Some(b"carrier.example"))).unwrap();
        assert_eq!(outer("alice@acme@Carrier.Example."), "alice@acme");
        assert_eq!(outer("alice@carrier.example"), "alice");
        for untouched in ["alice@acme", "alice", "", "@", "carrier.example", "alice@carrier.example@acme"] {
            assert_eq!(outer(untouched), untouched);
        }
    }
}
