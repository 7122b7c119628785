//! The figures as a table.

use std::fmt::{self, Write};

use super::Results;

impl Results {
    /// The figures as a table in Markdown, with the ratios and a line about the machine.
    ///
    /// # Errors
    /// Never, unless memory for text cannot be had.
    pub fn markdown(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        writeln!(text, "| in the kernel | keys | way | ns above the floor | least | floor |")?;
        writeln!(text, "|---|---|---|--:|--:|--:|")?;
        for figure in &self.figures {
            let super::Figure { name, keys, method, above_ns, least_ns, floor_ns, .. } = figure;
            writeln!(text, "| {name} | {keys} | {method} | {above_ns:.0} | {least_ns:.0} | {floor_ns:.0} |")?;
        }
        writeln!(text)?;
        if let Some(ratio) = self.active_keys_ratio {
            writeln!(
                text,
                "A registered packet over 4,096 active keys costs {ratio:.2} times what one repeated does."
            )?;
        }
        if let Some(userspace) = &self.userspace {
            write!(
                text,
                "A retransmit that sekisho answers in userspace costs {:.2} µs of its processor time",
                userspace.cpu_us
            )?;
            match self.retransmit_ratio {
                Some(ratio) => writeln!(text, "; in the kernel {ratio:.3} of that.")?,
                None => writeln!(text, ".")?,
            }
            let super::Repetitions { lost, different, .. } = userspace;
            if lost + different > 0 {
                writeln!(text, "**{lost} repetitions lost, {different} answered with something else.**")?;
            }
        }
        let machine = &self.machine;
        writeln!(
            text,
            "The verifier walked through {} instructions of a million. {} rounds of {} runs; {}{}, kernel {}, {}, {}.",
            self.verified_instructions,
            self.effort.0,
            self.effort.1,
            machine.processor,
            if machine.virtual_machine { ", a virtual machine" } else { "" },
            machine.kernel,
            machine.system,
            self.date,
        )?;
        Ok(text)
    }
}
