//! The status of a device of the device mapper.

use super::{Answer, Machine};

impl Machine {
    /// Type and status of the first target of a device, as `dmsetup status` prints them.
    ///
    /// # Errors
    /// EACCES for everybody but root; ENOENT without a device mapper; ENXIO where it has no such device.
    pub fn mapper_status(&self, numbers: (u64, u64)) -> Answer<String> {
        self.ask(&format!("mapper {}:{}", numbers.0, numbers.1), || {
            let control = std::fs::OpenOptions::new().read(true).write(true).open("/dev/mapper/control")?;
            Ok(crate::sys::mapper::status(&control, numbers)?)
        })
    }
}
