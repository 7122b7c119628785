//! Builds the XDP program for eBPF and leaves the object in `OUT_DIR`, where the crate embeds it.
//!
//! The eBPF target has no prebuilt `core`: a toolchain with the component rust-src is needed, and a bpf-linker for its
//! LLVM. `make setup` (that is `setup.sh` beside this file) installs both.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use aya_build::{Package, Toolchain};

/// Toolchains that may have rust-src, the one that setup links first: bpf-linker was then built for it.
const TOOLCHAINS: [&str; 2] = ["ebpf", "nightly"];

/// For the eBPF build alone. Without a single codegen unit and LTO, call chains fail to link or to fit the stack; cargo
/// takes `lto` in no package profile, so it comes this way.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "true"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    // Errors of the inner build are shown; its progress would appear as warnings, on every later build again.
    ("CARGO_TERM_QUIET", "true"),
    // `-Z build-std` and aya-ebpf's inline assembly, with a compiler that is not a nightly.
    ("RUSTC_BOOTSTRAP", "1"),
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Cargo shows the standard error of a build script that fails.
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).ok_or("CARGO_MANIFEST_DIR is not set")?;
    let program = here.join("../../xdp-prog");
    let program = program.to_str().ok_or("the path of xdp-prog is not UTF-8")?;
    println!("cargo:rerun-if-changed=build.rs");
    // Another version of aya-ebpf is another program.
    println!("cargo:rerun-if-changed={}", here.join("../../Cargo.lock").display());

    let toolchain = TOOLCHAINS.into_iter().find(|name| has_rust_src(name)).ok_or(
        "No toolchain can build the eBPF program: neither `ebpf` nor `nightly` has the component rust-src.\n\
         Run `make setup`, which installs what is missing.",
    )?;
    for (name, value) in ENVIRONMENT {
        // SAFETY: a build script has one thread, and aya-build's own starts later.
        unsafe { env::set_var(name, value) };
    }
    let package = Package { name: "sekisho-xdp", root_dir: program, ..Package::default() };
    aya_build::build_ebpf([package], Toolchain::Custom(toolchain)).map_err(|fault| {
        format!(
            "The eBPF program does not build with the toolchain `{toolchain}`: {fault:#}\n\
             If bpf-linker is missing or was built for another LLVM, run `make setup`."
        )
    })?;
    // What it took is 380 MB in each profile, and helps the next build of the eBPF program only.
    if env::var("CARGO_INCREMENTAL").is_ok_and(|value| value == "0")
        && let Some(out) = env::var_os("OUT_DIR")
    {
        let _ = fs::remove_dir_all(Path::new(&out).join("aya-build"));
    }
    Ok(())
}

fn has_rust_src(toolchain: &str) -> bool {
    let Ok(output) = Command::new("rustup").args(["run", toolchain, "rustc", "--print", "sysroot"]).output() else {
        return false;
    };
    let sysroot = String::from_utf8_lossy(&output.stdout);
    output.status.success() && Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core").exists()
}
