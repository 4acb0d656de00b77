//! What a proxy has used: processor time and resident memory of its whole process tree, from `/proc`.
//!
//! Processor time is the scheduler's own nanosecond count of each thread (`task/*/schedstat`); where the kernel does not
//! keep it, `utime + stime` of `stat` in steps of 10 ms. A thread that ends within a window takes its part with it.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// A process and all its descendants at one moment.
#[derive(Default)]
pub(crate) struct Usage {
    threads: HashMap<u32, Duration>,
    /// Resident set, in bytes, summed over processes: pages they share count more than once.
    pub(crate) resident_bytes: u64,
    /// The highest the resident set has been, in bytes, summed over processes.
    pub(crate) resident_peak_bytes: u64,
}

impl Usage {
    /// Reads the tree below `pid`; process 0 stands for no proxy at all and has used nothing.
    pub(crate) fn of(pid: u32) -> Self {
        let mut usage = Self::default();
        let mut waiting = if pid == 0 { vec![] } else { vec![pid] };
        while let Some(pid) = waiting.pop() {
            for thread in numbers_in(&format!("/proc/{pid}/task")) {
                let task = format!("/proc/{pid}/task/{thread}");
                usage.threads.insert(thread, processor_time(&task));
                let children = fs::read_to_string(format!("{task}/children")).unwrap_or_default();
                waiting.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            usage.resident_bytes += kilobytes(&status, "VmRSS:") * 1024;
            usage.resident_peak_bytes += kilobytes(&status, "VmHWM:") * 1024;
        }
        usage
    }

    /// Processor time used since `earlier` by the threads that live now.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let used = |(thread, now): (&u32, &Duration)| {
            now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or_default())
        };
        self.threads.iter().map(used).sum()
    }
}

fn processor_time(task: &str) -> Duration {
    let first = |text: String| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    if let Some(ns) = fs::read_to_string(format!("{task}/schedstat")).ok().and_then(first) {
        return Duration::from_nanos(ns);
    }
    let stat = fs::read_to_string(format!("{task}/stat")).unwrap_or_default();
    // After the command name in parentheses come state and ten more fields, then utime and stime.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn kilobytes(status: &str, key: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn numbers_in(directory: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}
