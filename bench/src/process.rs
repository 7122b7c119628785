//! What a process costs, from /proc.

use std::fs;
use std::io;
use std::time::Duration;

/// Processor time that process `pid`, with all its threads past and present, has used in user and system mode.
///
/// From utime and stime in `/proc/PID/stat` (proc_pid_stat(5)), in steps of a clock tick (10 ms).
///
/// # Errors
/// When there is no such process.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = ticks(&stat).ok_or(io::ErrorKind::InvalidData)?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / per_second)))
}

/// Memory that process `pid` has in RAM now, in octets: VmRSS in `/proc/PID/status` (proc_pid_status(5)).
///
/// # Errors
/// When there is no such process.
pub fn resident_octets(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(resident(&status).ok_or(io::ErrorKind::InvalidData)?)
}

fn resident(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// utime + stime: fields 14 and 15, counted behind the command's name, which may hold anything, even `)`.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_behind_any_command_name() {
        let stat = "7 (a) b 1 2) S 1 7 7 0 -1 4194304 100 0 0 0 12 34 0 0 20 0 1 0 100 0 0";
        assert_eq!(ticks(stat), Some(46));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn resident_memory_is_counted_in_octets() {
        assert_eq!(resident("Name:\ta\nVmHWM:\t  9 kB\nVmRSS:\t    1234 kB\n"), Some(1234 * 1024));
        assert_eq!(resident("Name:\ta kernel thread\n"), None);
        assert!(resident_octets(std::process::id()).unwrap() > 1 << 16);
    }

    #[test]
    fn our_own_time_grows_as_we_work() {
        let before = cpu_time(std::process::id()).unwrap();
        let begun = std::time::Instant::now();
        let mut sum = 0_u64;
        while begun.elapsed() < Duration::from_millis(60) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(cpu_time(std::process::id()).unwrap() > before);
    }
}
