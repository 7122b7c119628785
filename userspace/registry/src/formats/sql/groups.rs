//! Groups, and what they give to those who are in them.

use std::collections::HashMap;

use super::{
    MAX_GROUP_ITEMS, apply,
    database::{Pair, Tables},
};
use crate::formats::{
    Place,
    faults::Problem,
    importer::Importer,
    meaning::{Draft, Whose},
};

/// The items of every group, and who is in which.
pub(super) struct Groups<'a> {
    check: HashMap<&'a str, Vec<&'a Pair>>,
    reply: HashMap<&'a str, Vec<&'a Pair>>,
    /// A user's groups by priority.
    members: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(importer: &mut Importer<'_>, tables: &'a Tables) -> Groups<'a> {
        let mut members: HashMap<&str, Vec<&str>> = HashMap::new();
        for member in &tables.members {
            members.entry(&member.name).or_default().push(&member.group);
        }
        let items = tables.group_check.len() + tables.group_reply.len();
        if items > MAX_GROUP_ITEMS && !members.is_empty() {
            let message = format!("the groups have {items} items in radgroupcheck and radgroupreply");
            let remedy = format!(
                "at most {MAX_GROUP_ITEMS} are made items of accounts; delete those that nobody needs, and put what all get into the contract's `reply`"
            );
            importer.fault(Place::All, None, Problem::new(message, remedy));
            return Groups { check: HashMap::new(), reply: HashMap::new(), members: HashMap::new() };
        }
        Groups { check: by_name(&tables.group_check), reply: by_name(&tables.group_reply), members }
    }

    /// Adds what the groups of this user give; whether all of it was taken. A fault is told at the group's row, for each user who is in it.
    pub(super) fn apply(&self, importer: &mut Importer<'_>, user: &str, place: Place, draft: &mut Draft) -> bool {
        // `read_groups` is on in FreeRADIUS unless it is switched off: only a user's own `Fall-Through = No` keeps its groups away.
        if draft.falls_through == Some(false) {
            return true;
        }
        let zone = importer.defaults.time_zone.clone();
        let mut good = true;
        for group in self.members.get(user).into_iter().flatten() {
            if !self.check.contains_key(group) && !self.reply.contains_key(group) {
                importer.warn(place, "one of the user's groups has no items, and was left out");
            }
            for pair in self.check.get(group).into_iter().flatten() {
                good &= apply(importer, pair, |item| draft.check(item, Whose::Group, &zone));
            }
            draft.falls_through = None;
            for pair in self.reply.get(group).into_iter().flatten() {
                good &= apply(importer, pair, |item| draft.reply(item, Whose::Group));
            }
            if draft.falls_through != Some(true) {
                break;
            }
        }
        good
    }
}

fn by_name(pairs: &[Pair]) -> HashMap<&str, Vec<&Pair>> {
    let mut by_name: HashMap<&str, Vec<&Pair>> = HashMap::new();
    for pair in pairs {
        by_name.entry(&pair.name).or_default().push(pair);
    }
    by_name
}
