//! Any rules on any packet, held to a slow reference that says the same with lists.

use crate::common::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sekisho_wire::buf::{Buf, MAX_PACKET};
use sekisho_wire::build::{RequestBuilder, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::forward_request;
use sekisho_wire::policy::{Policy, Rule, Value, is_hidden, is_protected};
use sekisho_wire::salted::Salted;
use sekisho_wire::scan::scan;
use sekisho_wire::select::AttributeId::{self, Extended, Plain, Vendor};
use sekisho_wire::vendor::sub_attributes;
use sekisho_wire::verify::{verify_reply, verify_request};

type Attr = (u8, Vec<u8>);

/// A value of an attribute as the reference sees it: the parts of a Vendor-Specific that can be told apart.
fn parts(value: &[u8]) -> Option<(u32, Vec<Attr>)> {
    let subs = sub_attributes(value)?.map(|(kind, _, value)| (kind, value.to_vec())).collect();
    Some((u32::from_be_bytes(value[..4].try_into().unwrap()), subs))
}

fn whole(vendor: u32, parts: &[Attr]) -> Vec<u8> {
    let parts: Vec<u8> =
        parts.iter().flat_map(|(kind, value)| [&[*kind, value.len() as u8 + 2][..], value].concat()).collect();
    [&vendor.to_be_bytes()[..], &parts].concat()
}

/// What `gone` does not want, and where the first that it wanted stood.
fn without(attrs: &[Attr], gone: impl Fn(AttributeId, &[u8]) -> bool) -> (Vec<Attr>, Option<usize>) {
    let (mut left, mut place, mut open) = (Vec::new(), None, None);
    for (number, value) in attrs {
        let before = open.take();
        let stays = match (number, parts(value)) {
            (26, Some((vendor, subs))) => {
                let kept: Vec<_> =
                    subs.iter().filter(|(kind, value)| !gone(Vendor(vendor, *kind), value)).cloned().collect();
                if kept.len() == subs.len() {
                    Some(value.clone())
                } else {
                    if !kept.is_empty() {
                        left.push((26, whole(vendor, &kept)));
                    }
                    place = place.or(Some(left.len()));
                    continue;
                }
            }
            (241..=244, _) if !value.is_empty() => {
                (!gone(Extended(*number, value[0]), &value[1..])).then(|| value.clone())
            }
            (245..=246, _) if !value.is_empty() => {
                let goes = match before {
                    Some((n, kind, goes)) if (n, kind) == (*number, value[0]) => goes,
                    _ => gone(Extended(*number, value[0]), value.get(2..).unwrap_or_default()),
                };
                if value.get(1).is_some_and(|flags| flags & 0x80 != 0) {
                    open = Some((*number, value[0], goes));
                }
                (!goes).then(|| value.clone())
            }
            _ => Some(value.clone()),
        };
        let stays = stays.filter(|value| !gone(Plain(*number), value));
        match stays {
            Some(value) => left.push((*number, value)),
            None => place = place.or(Some(left.len())),
        }
    }
    (left, place)
}

fn first(attrs: &[Attr], id: AttributeId) -> Option<Vec<u8>> {
    attrs.iter().find_map(|(number, value)| match id {
        Plain(wanted) => (*number == wanted).then(|| value.clone()),
        Vendor(vendor, kind) => {
            let (found, subs) = parts(value).filter(|_| *number == 26)?;
            subs.into_iter().find(|sub| found == vendor && sub.0 == kind).map(|sub| sub.1)
        }
        Extended(wanted, kind) if *number == wanted && value.first() == Some(&kind) => {
            value.get(if wanted >= 245 { 2 } else { 1 }..).map(<[u8]>::to_vec)
        }
        Extended(..) => None,
    })
}

fn made(id: AttributeId, value: &[u8]) -> Vec<Attr> {
    match id {
        Plain(number) => vec![(number, value.to_vec())],
        Vendor(vendor, kind) => vec![(26, whole(vendor, &[(kind, value.to_vec())]))],
        Extended(number @ 245.., kind) => {
            let count = value.len().div_ceil(251).max(1);
            let fragment = |i: usize| &value[i * 251..value.len().min(i * 251 + 251)];
            (0..count).map(|i| (number, [&[kind, u8::from(i + 1 < count) << 7][..], fragment(i)].concat())).collect()
        }
        Extended(number, kind) => vec![(number, [&[kind][..], value].concat())],
    }
}

/// What an allow-list keeps unnamed.
fn is_kept(id: AttributeId, code: u8) -> bool {
    match id {
        Plain(18) => code == 3,
        Plain(number) => [1, 2, 3, 4, 24, 25, 32, 33, 40, 44, 60, 70, 71, 79, 80, 84, 95, 101].contains(&number),
        Vendor(311, kind) => [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16, 17, 25, 26, 27].contains(&kind),
        _ => false,
    }
}

fn reference(rules: &[Rule], code: u8, mut attrs: Vec<Attr>) -> Vec<Attr> {
    for rule in rules {
        let (id, value) = match rule {
            Rule::Remove(id, prefix) => {
                let prefix = prefix.as_deref().unwrap_or_default();
                if !is_protected(*id) {
                    attrs = without(&attrs, |found, value| found == *id && begins(value, prefix)).0;
                }
                continue;
            }
            Rule::Allow(ids) => {
                let stays = |id| ids.contains(&id) || is_kept(id, code);
                attrs.retain(|(number, value)| match number {
                    _ if stays(Plain(*number)) => true,
                    26 => parts(value).is_some(),
                    241..=246 => value.first().is_some_and(|&kind| stays(Extended(*number, kind))),
                    _ => false,
                });
                let vendors = |found| matches!(found, Vendor(..)) && !stays(found) && !stays(Plain(26));
                attrs = without(&attrs, |found, _| vendors(found)).0;
                continue;
            }
            Rule::Add(id, value) | Rule::Default(id, value) | Rule::Replace(id, value) => (*id, value),
        };
        let allowed = match code {
            1 | 2 | 43 => true,
            4 => id != Plain(18),
            3 => [Plain(18), Plain(101)].contains(&id),
            _ => false,
        };
        let hidden = |id| is_hidden(id, &Salted::default());
        if is_protected(id)
            || hidden(id)
            || !allowed
            || matches!(rule, Rule::Default(..)) && first(&attrs, id).is_some()
        {
            continue;
        }
        let value = match value {
            Value::Literal(octets) => Some(octets.to_vec()),
            Value::Of(source) if hidden(*source) => None,
            Value::Of(source) => first(&attrs, *source).filter(|_| {
                let Extended(number @ 245.., kind) = *source else { return true };
                attrs.iter().find(|(n, v)| *n == number && v.len() > 1 && v[0] == kind).unwrap().1[1] & 0x80 == 0
            }),
        };
        let Some(value) = value else { continue };
        let mut at = attrs.len();
        if matches!(rule, Rule::Replace(..)) {
            let (left, place) = without(&attrs, |found, _| found == id);
            attrs = left;
            at = place.unwrap_or(attrs.len());
        }
        attrs.splice(at..at, made(id, &value));
    }
    attrs
}

fn number() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => select(vec![1u8, 4, 11, 18, 24, 25, 26, 31, 33, 44, 69, 101, 126, 241, 245, 246]),
        1 => any::<u8>(),
    ]
}

fn id() -> impl Strategy<Value = AttributeId> {
    prop_oneof![
        number().prop_map(Plain),
        (select(vec![9u32, 311, 10415]), 1..4u8).prop_map(|(vendor, kind)| Vendor(vendor, kind)),
        (select(vec![241u8, 245, 246]), 1..4u8).prop_map(|(number, kind)| Extended(number, kind)),
    ]
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(0..4u8, 0..4), 1 => vec(any::<u8>(), 0..246)]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![octets().prop_map(|it| Value::Literal(it.into())), id().prop_map(Value::Of)]
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (id(), option::of(vec(0..4u8, 0..3))).prop_map(|(id, prefix)| Rule::Remove(id, prefix.map(Into::into))),
        vec(id(), 0..6).prop_map(Rule::Allow),
        (id(), value()).prop_map(|(id, value)| Rule::Add(id, value)),
        (id(), value()).prop_map(|(id, value)| Rule::Default(id, value)),
        (id(), value()).prop_map(|(id, value)| Rule::Replace(id, value)),
    ]
}

fn attr() -> impl Strategy<Value = Attr> {
    let vendor = (select(vec![9u32, 311, 10415]), vec((1..4u8, vec(0..4u8, 0..4)), 1..4));
    let long = (select(vec![245u8, 246]), 1..4u8, any::<bool>(), vec(0..4u8, 0..4));
    prop_oneof![
        3 => (number(), octets()).prop_filter("the password is hidden by the test's own hand", |(n, _)| ![2, 70, 71, 80, 84].contains(n)),
        3 => vendor.prop_map(|(vendor, parts)| (26, whole(vendor, &parts))),
        2 => long.prop_map(|(n, kind, more, rest)| (n, [&[kind, u8::from(more) << 7][..], &rest].concat())),
        1 => (select(vec![241u8, 245]), vec(0..4u8, 0..3)),
    ]
}

fn protected(attrs: &[Attr]) -> Vec<Attr> {
    attrs.iter().filter(|(number, _)| is_protected(Plain(*number))).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_what_the_reference_makes_of_it(
        rules in vec(rule(), 0..5),
        attrs in vec(attr(), 0..12),
        code in select(vec![1u8, 4, 40, 43]),
        password in vec(any::<u8>(), 1..40),
    ) {
        let request = RequestBuilder::new(Code(code), 7, RA_DOWN);
        let request = if code == 1 { request.message_authenticator().user_password(&password, &nas()) } else { request.attribute(44, "S1") };
        // What an Accounting-Request must not have is refused before any rule.
        let attrs = attrs.into_iter().filter(|(n, _)| code != 4 || ![2, 3, 18, 24].contains(n));
        let request = attrs.fold(request, |r, (n, v)| r.attribute(n, v)).build(&nas()).unwrap();
        let mut packet = buf(&request);
        let mut found = verified(&packet, &nas());
        let expected = reference(&rules, code, list(&request));

        let edited = Policy::new(rules).edit_request(&mut packet, &mut found);
        let fits = expected.iter().map(|(_, v)| v.len() + 2).sum::<usize>() + 20 <= MAX_PACKET;
        prop_assert!(edited.is_ok() || !fits || expected.iter().any(|(_, v)| v.len() > 253));
        let Ok(()) = edited else { return Ok(()) };
        prop_assert_eq!(list(packet.bytes()), &expected[..]);
        prop_assert_eq!(scan(packet.bytes()), Ok(*found.layout()));
        prop_assert_eq!(protected(&list(packet.bytes())), protected(&list(&request)));
        if code <= 4 && forward_request(&mut packet, &found, &nas(), &home(), 9, &RA_UP, OURS).is_ok() {
            prop_assert!(verify_request(&packet, &scan(packet.bytes()).unwrap(), &home(), LENIENT).is_ok());
        }
    }

    #[test]
    fn a_reply_is_what_the_reference_makes_of_it(
        rules in vec(rule(), 0..5),
        attrs in vec(attr(), 0..12),
        code in select(vec![2u8, 3, 5, 11]),
    ) {
        let attrs: Vec<(u8, &[u8])> = attrs.iter().map(|(n, v)| (*n, &v[..])).collect();
        let mut packet = Buf::new();
        write_reply(&mut packet, Code(code), 9, &RA_UP, &home(), &[], &attrs).unwrap();
        let before = list(packet.bytes());
        let mut found = verified_reply(&packet, &RA_UP, &home());
        let expected = reference(&rules, code, before.clone());

        prop_assert!(Policy::new(rules).edit_reply(&mut packet, &mut found).is_ok());
        prop_assert_eq!(list(packet.bytes()), &expected[..]);
        prop_assert_eq!(scan(packet.bytes()), Ok(*found.layout()));
        prop_assert_eq!(protected(&list(packet.bytes())), protected(&before));

        let request_code = if code == 5 { Code::ACCOUNTING_REQUEST } else { Code::ACCESS_REQUEST };
        let mut request = RequestBuilder::new(request_code, 9, RA_UP).attribute(33, OURS).build(&home()).unwrap();
        request[4..20].copy_from_slice(&RA_UP);
        prop_assert!(restore(&mut packet, &found, &request, 7, &mut || 1, OURS).is_ok());
        prop_assert!(verify_reply(&packet, &scan(packet.bytes()).unwrap(), &RA_DOWN, &nas(), true).is_ok());
    }
}

fn begins(value: &[u8], prefix: &[u8]) -> bool {
    [value, value.trim_ascii_start()].iter().any(|it| it.to_ascii_lowercase().starts_with(&prefix.to_ascii_lowercase()))
}
