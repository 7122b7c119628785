//! `[[policy]]`: rules that change attributes, by the names of the dictionaries.

use std::{collections::BTreeMap, sync::Arc};

use sekisho_wire::{
    attr,
    policy::{Policy, Rule, Value, is_hidden, is_protected},
    salted::Salted,
    select::AttributeId,
};
use toml::de::DeValue;

use super::surroundings::Surroundings;
use crate::{
    customer::Policies,
    dictionary::{Attribute, Raw, encode},
    finding::Problem,
    schema,
    section::Section,
    value,
};

/// The rules of one customer by name; `None` for those that are faulty, which has been told.
pub(super) type Named = BTreeMap<String, Option<Arc<Policy>>>;

/// Reads every policy of a customer.
pub(super) fn policies(top: &Section<'_>, around: &Surroundings<'_>) -> Named {
    let salted = Salted::new(around.dictionary.salted());
    let mut named = Named::new();
    for section in top.tables("policy", schema::POLICY) {
        let remedy = "Name the policy, for `request_policy` and `reply_policy`.";
        let name = section.parsed("name", value::name).required(&section, "name", remedy);
        let rules = rules(&section, around, &salted).map(|rules| Arc::new(Policy::new(rules)));
        let Some(name) = name else { continue };
        if named.contains_key(&name) {
            let problem =
                Problem::new(format!("{name:?} is a policy of this customer already"), "Give it another name.");
            section.fault("name", problem);
        }
        named.insert(name, rules);
    }
    named
}

/// The keys `request_policy` and `reply_policy` of a section.
pub(super) fn chosen(section: &Section<'_>, named: &Named) -> Option<Policies> {
    let one = |key| {
        let Some(name) = section.text(key).optional()? else { return Some(None) };
        match named.get(name) {
            Some(policy) => policy.clone().map(Some),
            None => {
                let names: Vec<String> = named.keys().map(|name| format!("{name:?}")).collect();
                let remedy = match names.is_empty() {
                    true => "Add it as [[policy]].".to_owned(),
                    false => format!("Add it as [[policy]], or say one of: {}.", names.join(", ")),
                };
                section.fault(key, Problem::new(format!("{name:?} is no policy of this customer"), remedy));
                None
            }
        }
    };
    let (request, reply) = (one("request_policy"), one("reply_policy"));
    Some(Policies { request: request?, reply: reply? })
}

/// Adds Operator-Name (RFC 5580 §4.1) where a request has none, behind all other rules.
pub(super) fn with_operator_name(policies: Policies, name: Option<&str>) -> Policies {
    let Some(name) = name else { return policies };
    let mut rules = policies.request.as_ref().map_or_else(Vec::new, |policy| policy.rules().to_vec());
    rules.push(Rule::Default(AttributeId::Plain(attr::OPERATOR_NAME), Value::Literal(name.as_bytes().into())));
    Policies { request: Some(Arc::new(Policy::new(rules))), ..policies }
}

/// The rules in the order in which they are applied; `None` where any is faulty.
fn rules(section: &Section<'_>, around: &Surroundings<'_>, salted: &Salted) -> Option<Vec<Rule>> {
    let before = section.report.count();
    let named = |name: &str| changeable(around, name).map(|attribute| attribute.id);
    let mut rules = Vec::new();
    if let Some(allowed) = section.list("allow", named).optional()? {
        rules.push(Rule::Allow(allowed));
    }
    rules.extend(section.list("remove", |text| removal(around, text)).or(Vec::new())?);
    for (key, rule) in [
        ("replace", Rule::Replace as fn(AttributeId, Value) -> Rule),
        ("default", Rule::Default as fn(AttributeId, Value) -> Rule),
        ("add", Rule::Add as fn(AttributeId, Value) -> Rule),
    ] {
        for (name, given) in section.pairs(key) {
            let outcome = changeable(around, name).and_then(|attribute| {
                if is_hidden(attribute.id, salted) {
                    let message = format!("the value of {name} is hidden from everybody but its receiver");
                    return Err(Problem::new(message, "Take it out: `remove` is all that can be done to it."));
                }
                Ok(rule(attribute.id, literal(around, salted, attribute, given)?))
            });
            match outcome {
                Ok(rule) => rules.push(rule),
                Err(problem) => section.fault(&format!("{key}.{name}"), problem),
            }
        }
    }
    if rules.is_empty() && section.report.count() == before {
        section.warn("", Problem::new("has no rule and changes nothing", "Add one, or take the policy out."));
    }
    (section.report.count() == before).then_some(rules)
}

/// The attribute of a name, if a rule may change it.
fn changeable<'a>(around: &'a Surroundings<'_>, name: &str) -> Result<&'a Attribute, Problem> {
    let attribute = around.dictionary.look_up(name)?;
    match is_protected(attribute.id) {
        true => {
            Err(Problem::new(format!("{name} is needed by the protocol itself"), "Take it out: no rule changes it."))
        }
        false => Ok(attribute),
    }
}

/// `Name`, or `Name=prefix*`.
fn removal(around: &Surroundings<'_>, text: &str) -> Result<Rule, Problem> {
    let Some((name, prefix)) = text.split_once('=') else {
        return Ok(Rule::Remove(changeable(around, text)?.id, None));
    };
    let id = changeable(around, name)?.id;
    match prefix.strip_suffix('*') {
        Some(prefix) if !prefix.is_empty() => Ok(Rule::Remove(id, Some(prefix.as_bytes().into()))),
        _ => {
            let remedy = format!("End it with a star: \"{name}=vpdn:*\"; for all of them write \"{name}\".");
            Err(Problem::new(format!("{text:?} says no beginning of a value"), remedy))
        }
    }
}

/// What an attribute is given: text, a number, or `{ from = "Other-Attribute" }`.
fn literal(
    around: &Surroundings<'_>,
    salted: &Salted,
    attribute: &Attribute,
    given: &DeValue<'_>,
) -> Result<Value, Problem> {
    match given {
        DeValue::String(text) => Ok(Value::Literal(encode(attribute, Raw::Text(text))?)),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| {
                Problem::new(format!("{} is out of bounds", integer.as_str()), "Give a smaller number.")
            })?;
            Ok(Value::Literal(encode(attribute, Raw::Number(number))?))
        }
        DeValue::Table(table) if table.len() == 1 => {
            let other = table.iter().find(|(key, _)| key.get_ref() == "from").map(|(_, value)| value.get_ref());
            let Some(DeValue::String(name)) = other else { return Err(shape()) };
            let other = around.dictionary.look_up(name)?;
            match is_hidden(other.id, salted) {
                true => Err(Problem::new(
                    format!("the value of {name} is hidden, so nothing can be made of it"),
                    "Name another.",
                )),
                false => Ok(Value::Of(other.id)),
            }
        }
        _ => Err(shape()),
    }
}

fn shape() -> Problem {
    let remedy = "Write text in quotes, a number in digits, or { from = \"Other-Attribute\" }.";
    Problem::new("is no value that an attribute can be given", remedy)
}
