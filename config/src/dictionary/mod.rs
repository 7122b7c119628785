//! Attributes by name: those that are built in, and the operator's.

use sekisho_wire::select::AttributeId;

/// Attributes by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    attributes: Vec<Attribute>,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name: `User-Name`.
    pub name: String,
    /// Its number.
    pub id: AttributeId,
    /// What its value is.
    pub kind: Kind,
    /// How its value is hidden.
    pub encrypt: Option<Encrypt>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Octets of any kind.
    Octets,
}

/// How a value is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypt {
    /// `encrypt=1`: as User-Password (RFC 2865 §5.2).
    Password,
    /// `encrypt=2`: as Tunnel-Password (RFC 2868 §3.5).
    Salted,
}

impl Dictionary {
    /// The attribute of a name, in whatever case it is written.
    pub fn find(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The vendors' attributes that are salt-encrypted: vendor, vendor type.
    pub fn salted(&self) -> impl Iterator<Item = (u32, u8)> {
        self.attributes.iter().filter_map(|attribute| match attribute {
            Attribute { id: AttributeId::Vendor(vendor, kind), encrypt: Some(Encrypt::Salted), .. } => {
                Some((*vendor, *kind))
            }
            _ => None,
        })
    }
}
