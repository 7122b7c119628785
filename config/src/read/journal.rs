//! `[journal]`: where accounting records are kept, and for how long.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{finding::Problem, node::Journal, section::Section, value::show_duration};

const MIB: u64 = 1024 * 1024;
const HOUR: Duration = Duration::from_secs(3_600);
/// 16 TiB, and then more than any disk that a journal is written to.
const MOST_MIB: u64 = 16 * 1024 * 1024;

/// Reads the journal's keys. `base` is the directory that paths are relative to, `state` the node's, if it is known.
pub(super) fn journal(section: Option<&Section<'_>>, base: &Path, state: Option<&PathBuf>) -> Option<Journal> {
    let (retention, queue) = (744 * HOUR, 65_536);
    let directory = state.map(|state| state.join("journal"));
    let Some(section) = section else {
        let (segment_size, segment_age, reserve) = (64 * MIB, HOUR, 64 * MIB);
        let directory = directory?;
        return Some(Journal { directory, segment_size, segment_age, retention, max_size: 0, reserve, queue });
    };
    let given = section.parsed("directory", |text| match text {
        "" => Err(Problem::new("is empty", "Give a path, relative to this file or absolute.")),
        text => Ok(base.join(text)),
    });
    let given = given.optional();
    if let Some(Some(given)) = &given
        && given.is_file()
    {
        let remedy = "Name a directory; it is made when it is needed.";
        section.warn("directory", Problem::new("is a file, so nothing can be recorded there", remedy));
    }
    let size = section.integer("segment_size", 1..=1_024u64).or(64);
    let age = section.duration("segment_age", Duration::from_secs(60)..=24 * HOUR).or(HOUR);
    let retention = section.duration("retention", HOUR..=87_600 * HOUR).or(retention);
    let most = section.integer("max_size", 0..=MOST_MIB).or(0);
    let reserve = section.integer("reserve", 0..=MOST_MIB).or(64);
    let queue = section.integer("queue", 64..=1_048_576u32).or(queue);
    let (given, size, age, retention, most) = (given?, size?, age?, retention?, most?);
    if most != 0 && most < 2 * size {
        let message = format!("{most} MiB are less than two segments of {size} MiB, the fewest that are kept");
        let remedy = format!("Give at least {}, or 0 for no bound, or a smaller `segment_size`.", 2 * size);
        section.fault("max_size", Problem::new(message, remedy));
        return None;
    }
    if retention < age {
        let message = format!(
            "{} is less than a segment's age ({}), and a segment is removed as a whole",
            show_duration(retention),
            show_duration(age)
        );
        let remedy = "Make `segment_age` shorter: records are kept for both times together.";
        section.warn("retention", Problem::new(message, remedy));
    }
    Some(Journal {
        directory: given.or(directory)?,
        segment_size: size * MIB,
        segment_age: age,
        retention,
        max_size: most * MIB,
        reserve: reserve? * MIB,
        queue: queue?,
    })
}
