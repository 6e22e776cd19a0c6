//! What several test files share.

use std::sync::OnceLock;

use puad::candle_core::Device;

/// Where the tests run: on the device that `PUAD_TEST_DEVICE` names (`cuda`), else on the CPU.
pub fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let open = || {
        let name = std::env::var("PUAD_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
        puad::device(&name).unwrap()
    };
    DEVICE.get_or_init(open).clone()
}
