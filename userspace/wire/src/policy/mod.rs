//! Rules that change a packet's attributes on its way: remove, allow, add, replace.
//!
//! Vendors' attributes are the sub-attributes of Vendor-Specific, one or several in each; where they cannot be told apart
//! (RFC 2865 §5.26 leaves the inside to the vendor) no rule names them. Some attributes no rule changes, see
//! [`is_protected`], and no rule lays open or copies what is hidden, see [`is_hidden`]. Nothing is allocated.

mod apply;
mod guard;

use crate::attribute::HEADER;
use crate::buf::Buf;
use crate::code::Code;
use crate::forward::RewriteError;
use crate::scan::scan;
use crate::select::AttributeId;
use crate::verify::{Verified, VerifiedReply};

pub use guard::{is_hidden, is_protected};

/// One rule. Rules are applied in their order.
///
/// Attributes are given (`Add`, `Default`, `Replace`) to Access-, Accounting- and CoA-Requests and to Accepts; to a
/// Reject only Reply-Message and Error-Cause, and nothing to other packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Takes out every such attribute; with a prefix those whose value begins with it, in
    /// capitals or not, and past blanks. A vendor's attribute goes out of
    /// its Vendor-Specific, which goes when it is empty; a fragmented one (RFC 6929 §2.2) goes or stays as a whole. The
    /// value of a tagged attribute (RFC 2868) begins with its tag.
    Remove(AttributeId, Option<Box<[u8]>>),
    /// Takes out everything but these, and but what the protocol itself needs: what is protected, User-Name, the NAS's
    /// addresses and identifier, Error-Cause, Reply-Message in a Reject, and Microsoft's attributes that carry a login
    /// and its keys. A Vendor-Specific keeps the listed sub-attributes; one that cannot be told apart goes.
    Allow(Vec<AttributeId>),
    /// Adds an attribute behind all others.
    Add(AttributeId, Value),
    /// Adds an attribute where there is none of its kind.
    Default(AttributeId, Value),
    /// Puts one attribute in the place of all of its kind, or behind all others where there is none. A vendor's gets a
    /// Vendor-Specific of its own, behind the one that it stood in where others are left there.
    Replace(AttributeId, Value),
}

/// What an attribute is given as its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// These octets: at most 253, for a vendor's attribute 247, for an extended one 252; for a long extended one (245,
    /// 246) as many as fit, in fragments.
    Literal(Box<[u8]>),
    /// The value of another attribute of the packet, as long as the target may be; where it is absent or hidden, or in
    /// several fragments, the rule does nothing.
    Of(AttributeId),
}

/// Rules of one direction, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The lists of [`Rule::Allow`] are sorted.
    rules: Vec<Rule>,
}

impl Policy {
    /// From rules in their order.
    pub fn new(mut rules: Vec<Rule>) -> Policy {
        for rule in &mut rules {
            if let Rule::Allow(ids) = rule {
                ids.sort_unstable();
                ids.dedup();
            }
        }
        Policy { rules }
    }

    /// The rules; what they allow is sorted.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The attributes that an Accept without any gets by these rules, as they stand in a packet.
    ///
    /// # Errors
    ///
    /// They have more than 4076 octets, or a value is longer than its attribute may be.
    pub fn attributes(&self) -> Result<Box<[u8]>, RewriteError> {
        let mut header = [0; HEADER];
        header[0] = Code::ACCESS_ACCEPT.0;
        header[3] = HEADER as u8;
        let mut buf = Buf::new();
        buf.load(&header)?;
        let mut layout = scan(buf.bytes())?;
        apply::apply(&self.rules, &mut buf, &mut layout)?;
        Ok(buf.bytes().get(HEADER..).unwrap_or_default().into())
    }

    /// Changes a verified request in place, and what is known of it. It has to be rewritten before it is sent: its
    /// authenticators are no longer right.
    ///
    /// # Errors
    ///
    /// It would be longer than 4096 octets, or a value longer than its attribute may be.
    pub fn edit_request(&self, buf: &mut Buf, verified: &mut Verified) -> Result<(), RewriteError> {
        apply::apply(&self.rules, buf, verified.layout_mut())
    }

    /// Changes a verified reply in place, and what is known of it. It has to be rewritten before it is sent: its
    /// authenticators are no longer right.
    ///
    /// # Errors
    ///
    /// It would be longer than 4096 octets, or a value longer than its attribute may be.
    pub fn edit_reply(&self, buf: &mut Buf, reply: &mut VerifiedReply) -> Result<(), RewriteError> {
        apply::apply(&self.rules, buf, reply.layout_mut())
    }

    /// Changes a reply that was made here and lacks only its [`Seal`](crate::seal::Seal), which fits what comes of it.
    ///
    /// # Errors
    ///
    /// It would be longer than 4096 octets, or a value longer than its attribute may be.
    pub fn edit_unsealed(&self, buf: &mut Buf) -> Result<(), RewriteError> {
        let mut layout = scan(buf.bytes())?;
        apply::apply(&self.rules, buf, &mut layout)
    }
}
