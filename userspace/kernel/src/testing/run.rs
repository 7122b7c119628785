//! BPF test runs.

use std::{
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use aya::{
    EbpfError, TestRun, TestRunOptions,
    programs::{Program, ProgramError, Xdp},
};

use crate::{Gate, GateError, kernel::Kernel, object::PROGRAM};

/// What the program told XDP to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Drop the frame.
    Drop,
    /// Hand it to the network stack.
    Pass,
    /// Send it back where it came from, as it is now.
    Reply,
    /// Anything else, by its number.
    Other(u32),
}

/// Octets of the longest frame that a test run gives back.
const LONGEST_FRAME: usize = 16_384;

/// The result of a test run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What the program said, the last time it ran.
    pub action: Action,
    /// How long it took, on average.
    pub duration: Duration,
}

impl Gate {
    /// Runs the program once for a frame that came in by the interface with this index.
    ///
    /// The interface must exist in this network namespace. The frame must have 14 octets at least.
    ///
    /// # Errors
    ///
    /// What the kernel says; [`GateError::Load`] where the gate is off.
    pub fn run(&self, ifindex: u32, frame: &[u8]) -> Result<Ran, GateError> {
        self.run_repeatedly(ifindex, frame, 1)
    }

    /// Runs the program for the same frame as often as asked, all of it counted.
    ///
    /// # Errors
    ///
    /// As [`Gate::run`].
    pub fn run_repeatedly(&self, ifindex: u32, frame: &[u8], repeat: u32) -> Result<Ran, GateError> {
        let context = context(frame.len(), ifindex);
        let options = TestRunOptions { data_in: Some(frame), ctx_in: Some(&context), repeat, ..Default::default() };
        let result = self.program()?.test_run(options).map_err(failed)?;
        Ok(Ran { action: action(result.return_value), duration: result.duration })
    }

    /// As [`Gate::run`]; also what the program has made of the frame.
    ///
    /// # Errors
    ///
    /// As [`Gate::run`].
    pub fn run_with_output(&self, ifindex: u32, frame: &[u8]) -> Result<(Ran, Vec<u8>), GateError> {
        let context = context(frame.len(), ifindex);
        let mut output = vec![0; LONGEST_FRAME];
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut output),
            ctx_in: Some(&context),
            ..Default::default()
        };
        let result = self.program()?.test_run(options).map_err(failed)?;
        output.truncate(result.data_size_out as usize);
        Ok((Ran { action: action(result.return_value), duration: result.duration }, output))
    }

    /// How many instructions the verifier walked through: its budget is a million.
    ///
    /// # Errors
    ///
    /// What the kernel says; [`GateError::Load`] where the gate is off.
    pub fn verified_instructions(&self) -> Result<u32, GateError> {
        let info = self.program()?.info().map_err(failed)?;
        Ok(info.verified_instruction_count().unwrap_or(0))
    }

    /// Tells the time, where [`crate::GateOptions::injected_clock`] is set: nanoseconds.
    pub fn set_clock(&self, now: u64) {
        if let Some(settings) = self.kernel().and_then(|kernel| kernel.maps.settings.first()) {
            settings.clock.store(now, std::sync::atomic::Ordering::Release);
        }
    }

    /// The loaded program.
    ///
    /// # Errors
    ///
    /// [`GateError::Load`] where the gate is off.
    pub fn descriptor(&self) -> Result<BorrowedFd<'_>, GateError> {
        Ok(self.program()?.fd().map_err(failed)?.as_fd())
    }

    fn program(&self) -> Result<&Xdp, GateError> {
        let program = self.kernel().and_then(|Kernel { ebpf, .. }| ebpf.program(PROGRAM));
        match program {
            Some(Program::Xdp(program)) => Ok(program),
            _ => Err(failed(ProgramError::NotLoaded)),
        }
    }
}

pub(super) fn action(number: u32) -> Action {
    match number {
        1 => Action::Drop,
        2 => Action::Pass,
        3 => Action::Reply,
        other => Action::Other(other),
    }
}

/// `struct xdp_md` of the kernel: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
pub(super) fn context(length: usize, ifindex: u32) -> [u8; 24] {
    let mut context = [0; 24];
    let fields = [0, length as u32, 0, ifindex, 0, 0];
    for (octets, field) in context.chunks_exact_mut(4).zip(fields) {
        octets.copy_from_slice(&field.to_ne_bytes());
    }
    context
}

fn failed(error: ProgramError) -> GateError {
    GateError::Load { source: Box::new(EbpfError::from(error)) }
}
