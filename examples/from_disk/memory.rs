/// The most memory that the process had at once, in MiB; `None` where the system does not say so.
pub fn peak() -> anyhow::Result<Option<u64>> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return Ok(None);
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")) else {
        return Ok(None);
    };
    Ok(Some(kib.parse::<u64>()? / 1024))
}
