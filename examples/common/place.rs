//! Where a row came to be.

use std::process::Command;
use std::sync::OnceLock;

/// The commit of the checkout that the program was built in, with `-dirty` where it was changed since, and the kind of
/// processor.
pub fn place() -> (Option<String>, String) {
    static PLACE: OnceLock<(Option<String>, String)> = OnceLock::new();
    PLACE.get_or_init(|| (commit(), host())).clone()
}

fn commit() -> Option<String> {
    let arguments = [
        "-C",
        env!("CARGO_MANIFEST_DIR"),
        "describe",
        "--always",
        "--dirty",
        "--exclude=*",
    ];
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success()).then(|| text.trim().to_string())
}

/// The processor's name where the system tells it, else its architecture.
fn host() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let name = lines.find(|(name, _)| name.trim() == "model name");
    name.map_or(std::env::consts::ARCH, |(_, model)| model.trim())
        .to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_machine_has_a_kind_of_processor() {
        assert!(!super::place().1.is_empty());
    }
}
