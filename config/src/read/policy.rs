//! `[[policy]]`: rules that change attributes, by the names of the dictionaries.

use std::{cell::Cell, collections::BTreeMap, sync::Arc};

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
    dictionary::{Attribute, Dictionary, Kind, Lead, Raw, encode},
    document::Site,
    finding::{Problem, Report},
    schema,
    section::Section,
    value,
};

/// The policies of one customer.
pub(super) struct PolicyBook {
    by_name: BTreeMap<String, Named>,
}

struct Named {
    site: Site,
    /// `None` where a rule is faulty, which has been told.
    policy: Option<Arc<Policy>>,
    used: Cell<bool>,
}

impl PolicyBook {
    /// Reads every policy of a customer.
    pub(super) fn read(top: &Section<'_>, around: &Surroundings<'_>) -> PolicyBook {
        let mut by_name = BTreeMap::new();
        for section in top.tables("policy", schema::POLICY) {
            let remedy = "Name the policy, for `request_policy` and `reply_policy`.";
            let name = section.parsed("name", value::name).required(&section, "name", remedy);
            let policy = rules(&section, around).map(|rules| Arc::new(Policy::new(rules)));
            let Some(name) = name else { continue };
            if by_name.contains_key(&name) {
                let problem =
                    Problem::new(format!("{name:?} is a policy of this customer already"), "Give it another name.");
                section.fault("name", problem);
            }
            by_name.insert(name, Named { site: section.site.clone(), policy, used: Cell::new(false) });
        }
        PolicyBook { by_name }
    }

    /// The keys `request_policy` and `reply_policy` of a section.
    pub(super) fn chosen(&self, section: &Section<'_>) -> Option<Policies> {
        let (request, reply) = (self.one(section, "request_policy"), self.one(section, "reply_policy"));
        Some(Policies { request: request?, reply: reply? })
    }

    fn one(&self, section: &Section<'_>, key: &str) -> Option<Option<Arc<Policy>>> {
        let Some(name) = section.text(key).optional()? else { return Some(None) };
        if let Some(named) = self.by_name.get(name) {
            named.used.set(true);
            return named.policy.clone().map(Some);
        }
        let names: Vec<String> = self.by_name.keys().map(|name| format!("{name:?}")).collect();
        let remedy = match names.is_empty() {
            true => "Add it as [[policy]].".to_owned(),
            false => format!("Add it as [[policy]], or say one of: {}.", names.join(", ")),
        };
        section.fault(key, Problem::new(format!("{name:?} is no policy of this customer"), remedy));
        None
    }

    /// Warns of those that nothing has chosen.
    pub(super) fn warn_of_idle(&self, report: &Report) {
        for (name, idle) in self.by_name.iter().filter(|(_, named)| !named.used.get()) {
            let message = format!("nothing names {name:?}, so it changes nothing");
            let remedy = "Name it as `request_policy` or `reply_policy` of the customer or of a [[client]].";
            report.warn(idle.site.finding("name", Problem::new(message, remedy)));
        }
    }
}

/// Adds Operator-Name (RFC 5580 §4.1) where a request has none, behind all other rules.
pub(super) fn with_operator_name(policies: Policies, name: Option<&str>) -> Policies {
    let Some(name) = name else { return policies };
    let mut rules = policies.request.as_ref().map_or_else(Vec::new, |policy| policy.rules().to_vec());
    rules.push(Rule::Default(AttributeId::Plain(attr::OPERATOR_NAME), Value::Literal(name.as_bytes().into())));
    Policies { request: Some(Arc::new(Policy::new(rules))), ..policies }
}

/// The rules in the order in which they are applied; `None` where any is faulty.
fn rules(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Vec<Rule>> {
    let before = section.report.count();
    // What no rule changes goes on in any case: to say so once more does no harm.
    let named = |name: &str| around.dictionary.look_up(name).map(|attribute| attribute.id);
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
            let values = match given {
                // Several of one name can only be added.
                DeValue::Array(values) if key == "add" => values.iter().map(|value| value.get_ref()).collect(),
                value => vec![value],
            };
            for value in values {
                match giveable(&around.dictionary, name)
                    .and_then(|attribute| Ok(rule(attribute.id, given_value(around, attribute, value)?)))
                {
                    Ok(rule) => rules.push(rule),
                    Err(problem) => section.fault(&format!("{key}.{name}"), problem),
                }
            }
        }
    }
    if rules.is_empty() && section.report.count() == before {
        section.warn("", Problem::new("has no rule and changes nothing", "Add one, or take the policy out."));
    }
    (section.report.count() == before).then_some(rules)
}

/// The attribute of a name, if a rule may change it.
fn changeable<'a>(dictionary: &'a Dictionary, name: &str) -> Result<&'a Attribute, Problem> {
    let attribute = dictionary.look_up(name)?;
    match is_protected(attribute.id) {
        true => {
            Err(Problem::new(format!("{name} is needed by the protocol itself"), "Take it out: no rule changes it."))
        }
        false => Ok(attribute),
    }
}

/// The attribute of a name, if a rule may give it a value.
pub(crate) fn giveable<'a>(dictionary: &'a Dictionary, name: &str) -> Result<&'a Attribute, Problem> {
    let attribute = changeable(dictionary, name)?;
    match is_secret(attribute) {
        true => {
            let message = format!("the value of {name} is hidden from everybody but its receiver");
            Err(Problem::new(message, "Take it out: `remove` is all that can be done to it."))
        }
        false => Ok(attribute),
    }
}

/// Whether the value is hidden, by what the wire knows or by a dictionary.
fn is_secret(attribute: &Attribute) -> bool {
    attribute.encrypt.is_some() || is_hidden(attribute.id, &Salted::default())
}

/// `Name`, or `Name=prefix*`.
fn removal(around: &Surroundings<'_>, text: &str) -> Result<Rule, Problem> {
    let Some((name, prefix)) = text.split_once('=') else {
        return Ok(Rule::Remove(changeable(&around.dictionary, text)?.id, None));
    };
    let attribute = changeable(&around.dictionary, name)?;
    if is_secret(attribute) || attribute.lead != Lead::Nothing || !matches!(attribute.kind, Kind::Text | Kind::Octets) {
        let message = format!("the value of {name} does not begin with text");
        return Err(Problem::new(message, format!("Write \"{name}\" alone, and all of them are taken out.")));
    }
    match prefix.strip_suffix('*') {
        Some(prefix) if !prefix.is_empty() => Ok(Rule::Remove(attribute.id, Some(prefix.as_bytes().into()))),
        _ => {
            let remedy = format!("End it with a star: \"{name}=vpdn:*\"; for all of them write \"{name}\".");
            Err(Problem::new(format!("{text:?} says no beginning of a value"), remedy))
        }
    }
}

/// What an attribute is given: text, a number, or `{ from = "Other-Attribute" }`.
pub(super) fn given_value(
    around: &Surroundings<'_>,
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
            source(around, attribute, name).map(Value::Of)
        }
        DeValue::Array(_) => {
            Err(Problem::new("is a list of values", "Give one; several can only be given under `add`."))
        }
        _ => Err(shape()),
    }
}

/// The attribute whose value another one is given, if it can have it.
fn source(around: &Surroundings<'_>, target: &Attribute, name: &str) -> Result<AttributeId, Problem> {
    let source = around.dictionary.look_up(name)?;
    if is_secret(source) {
        let message = format!("the value of {name} is hidden, so nothing can be made of it");
        return Err(Problem::new(message, "Name another."));
    }
    let text = |kind| matches!(kind, Kind::Text | Kind::Octets);
    let alike = source.kind == target.kind || target.kind == Kind::Octets || (text(source.kind) && text(target.kind));
    if !alike || source.lead != target.lead {
        let message = format!("{} cannot have the value of {name}, which is of another type", target.name);
        return Err(Problem::new(message, "Name an attribute of the same type."));
    }
    Ok(source.id)
}

fn shape() -> Problem {
    let remedy = "Write text in quotes, a number in digits, or { from = \"Other-Attribute\" }.";
    Problem::new("is no value that an attribute can be given", remedy)
}
