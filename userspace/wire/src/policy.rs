//! Rules that change a packet's attributes on its way: remove, allow, add, replace.

use crate::buf::Buf;
use crate::forward::RewriteError;
use crate::select::AttributeId;
use crate::verify::{Verified, VerifiedReply};

/// One rule. Rules are applied in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Takes out every such attribute; with a prefix those whose value begins with it.
    Remove(AttributeId, Option<Box<[u8]>>),
    /// Takes out everything but these, and but what the protocol itself needs.
    Allow(Vec<AttributeId>),
    /// Adds an attribute behind all others.
    Add(AttributeId, Value),
    /// Adds an attribute where there is none of its kind.
    Default(AttributeId, Value),
    /// Puts one attribute in the place of all of its kind, or behind all others where there is none.
    Replace(AttributeId, Value),
}

/// What an attribute is given as its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// These octets: at most 253, for a vendor's attribute 247, for an extended one 252.
    Literal(Box<[u8]>),
    /// The value of another attribute of the packet; where that is absent, the rule does nothing.
    Of(AttributeId),
}

/// Rules of one direction, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// From rules in their order.
    pub fn new(rules: Vec<Rule>) -> Policy {
        Policy { rules }
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Changes a verified request in place.
    ///
    /// # Errors
    ///
    /// It would be longer than 4096 octets.
    pub fn edit_request(&self, _buf: &mut Buf, _verified: &mut Verified) -> Result<(), RewriteError> {
        Ok(())
    }

    /// Changes a verified reply in place.
    ///
    /// # Errors
    ///
    /// It would be longer than 4096 octets.
    pub fn edit_reply(&self, _buf: &mut Buf, _reply: &mut VerifiedReply) -> Result<(), RewriteError> {
        Ok(())
    }
}
