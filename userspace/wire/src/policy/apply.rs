//! Rules at work, on a packet in its buffer.

use super::guard::{is_always_hidden, is_extended, is_kept, is_long, is_protected, may_give};
use super::{Rule, Value};
use crate::attr;
use crate::attribute::{HEADER, attributes};
use crate::buf::{Buf, TooLong};
use crate::code::Code;
use crate::edit::{self, Fate};
use crate::forward::RewriteError;
use crate::scan::Layout;
use crate::select::AttributeId::{self, Extended, Plain, Vendor};
use crate::vendor::{sub_attributes, vendor};

/// The flag of a long extended attribute that the next one continues (RFC 6929 §2.2).
const MORE: u8 = 0x80;
/// The most octets of a value that a fragment of a long extended attribute holds.
const FRAGMENT: usize = 251;

/// Applies the rules in their order to the packet that `layout` describes, and describes what comes of it.
pub(super) fn apply(rules: &[Rule], buf: &mut Buf, layout: &mut Layout) -> Result<(), RewriteError> {
    edit::begin(buf, layout)?;
    let code = layout.code;
    for rule in rules {
        match rule {
            Rule::Remove(id, _) if is_protected(*id) => {}
            Rule::Remove(id, prefix) => {
                remove(buf, *id, prefix.as_deref().unwrap_or_default());
            }
            Rule::Allow(ids) => allow(buf, code, ids),
            Rule::Add(id, value) => give(buf, code, *id, value, Give::Another)?,
            Rule::Default(id, value) => give(buf, code, *id, value, Give::IfAbsent)?,
            Rule::Replace(id, value) => give(buf, code, *id, value, Give::Instead)?,
        }
    }
    edit::finish(buf, layout)
}

/// Takes out every such attribute whose value begins with `prefix`, and returns where the first of them stood: behind
/// what is left of its Vendor-Specific, if it had one with others.
fn remove(buf: &mut Buf, id: AttributeId, prefix: &[u8]) -> Option<usize> {
    let mut place = None;
    let mut at = HEADER;
    let mut chain = Chain::default();
    let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, value| {
        let fate = match id {
            Plain(wanted) => drop_if(number == wanted && begins(value, prefix)),
            Extended(wanted, kind) => {
                let same = number == wanted && value.first() == Some(&kind);
                drop_if(chain.goes(same, number, value, prefix))
            }
            Vendor(wanted, kind) if is_shaped(number, value) && vendor(value) == Some(wanted) => {
                edit::rewrite_vendor(value, |found, value| drop_if(found == kind && begins(value, prefix)))
            }
            Vendor(..) => Fate::Keep,
        };
        at += match fate {
            Fate::Keep => 2 + value.len(),
            Fate::Shrink(to) => 2 + to,
            Fate::Drop => 0,
        };
        if !matches!(fate, Fate::Keep) {
            place = place.or(Some(at));
        }
        fate
    });
    buf.trim(len);
    place
}

/// Takes out everything but `ids` (sorted) and what [`is_kept`].
fn allow(buf: &mut Buf, code: Code, ids: &[AttributeId]) {
    let stays = |id| is_kept(id, code) || ids.binary_search(&id).is_ok();
    let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, value| match number {
        _ if stays(Plain(number)) => Fate::Keep,
        attr::VENDOR_SPECIFIC if is_shaped(number, value) => match vendor(value) {
            Some(vendor) => edit::rewrite_vendor(value, |kind, _| drop_if(!stays(Vendor(vendor, kind)))),
            None => Fate::Drop,
        },
        _ if is_extended(number) => drop_if(!value.first().is_some_and(|&kind| stays(Extended(number, kind)))),
        _ => Fate::Drop,
    });
    buf.trim(len);
}

/// Whether a value begins so, in capitals or not, and past blanks: what keeps something out must not depend on how precisely
/// whoever it is kept from reads.
fn begins(value: &[u8], prefix: &[u8]) -> bool {
    let is = |value: &[u8]| value.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    is(value) || is(value.trim_ascii_start())
}

/// How an attribute is given.
#[derive(PartialEq, Eq)]
enum Give {
    Another,
    IfAbsent,
    Instead,
}

fn give(buf: &mut Buf, code: Code, id: AttributeId, value: &Value, how: Give) -> Result<(), TooLong> {
    if is_protected(id) || is_always_hidden(id) || !may_give(id, code) {
        return Ok(());
    }
    if how == Give::IfAbsent && id.find(buf.bytes()).is_some() {
        return Ok(());
    }
    let mut copy = [0; 253];
    let value = match value {
        Value::Literal(octets) => octets,
        Value::Of(source) => match copy_of(buf.bytes(), *source, &mut copy) {
            Some(octets) => octets,
            None => return Ok(()),
        },
    };
    let place = if how == Give::Instead { remove(buf, id, &[]) } else { None };
    insert(buf, place.unwrap_or(buf.len()), id, value)
}

/// The value of the first such attribute; none of what is hidden, nor of what is in several fragments.
fn copy_of<'a>(packet: &[u8], source: AttributeId, copy: &'a mut [u8; 253]) -> Option<&'a [u8]> {
    let value = source.find(packet).filter(|_| !is_always_hidden(source) && !is_fragmented(packet, source))?;
    let copy = copy.get_mut(..value.len())?;
    copy.copy_from_slice(value);
    Some(copy)
}

fn is_fragmented(packet: &[u8], id: AttributeId) -> bool {
    let Extended(number, kind) = id else { return false };
    // The same one that `find` finds: with its octet of flags.
    let is_it = |value: &[u8]| value.len() >= 2 && value.first() == Some(&kind);
    let first = attributes(packet).find(|it| it.number == number && is_it(it.value));
    is_long(number) && first.is_some_and(|it| has_more(it.value))
}

/// Puts an attribute before what stands at `at`.
fn insert(buf: &mut Buf, at: usize, id: AttributeId, value: &[u8]) -> Result<(), TooLong> {
    match id {
        Plain(number) => edit::put(buf, at, 0, number, &[], value),
        Vendor(vendor, kind) => {
            let [a, b, c, d] = vendor.to_be_bytes();
            let length = u8::try_from(value.len() + 2).map_err(|_| TooLong)?;
            edit::put(buf, at, 0, attr::VENDOR_SPECIFIC, &[a, b, c, d, kind, length], value)
        }
        Extended(number, kind) if is_long(number) => {
            // From the last to the first, each before the one that continues it.
            let last = value.len().saturating_sub(1) / FRAGMENT;
            for (i, fragment) in (0..=last).map(|i| (i, value.get(i * FRAGMENT..).unwrap_or_default())).rev() {
                let fragment = fragment.get(..FRAGMENT).unwrap_or(fragment);
                edit::put(buf, at, 0, number, &[kind, if i < last { MORE } else { 0 }], fragment)?;
            }
            Ok(())
        }
        Extended(number, kind) => edit::put(buf, at, 0, number, &[kind], value),
    }
}

/// Fragments of a long extended attribute follow one another, and what becomes of the first becomes of all.
#[derive(Default)]
struct Chain {
    /// What became of the attribute that the next one continues.
    open: Option<bool>,
}

impl Chain {
    /// Whether an attribute goes; `same` says that it is of the number and extended type that is looked for.
    fn goes(&mut self, same: bool, number: u8, value: &[u8], prefix: &[u8]) -> bool {
        if !same {
            self.open = None;
            return false;
        }
        let body = value.get(if is_long(number) { 2 } else { 1 }..).unwrap_or_default();
        let goes = self.open.unwrap_or_else(|| begins(body, prefix));
        self.open = (is_long(number) && has_more(value)).then_some(goes);
        goes
    }
}

fn has_more(value: &[u8]) -> bool {
    value.get(1).is_some_and(|flags| flags & MORE != 0)
}

/// Whether this is a Vendor-Specific attribute whose sub-attributes can be told apart.
fn is_shaped(number: u8, value: &[u8]) -> bool {
    number == attr::VENDOR_SPECIFIC && sub_attributes(value).is_some()
}

fn drop_if(goes: bool) -> Fate {
    if goes { Fate::Drop } else { Fate::Keep }
}
