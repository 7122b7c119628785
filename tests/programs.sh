# Builds the programs that the end-to-end tests run, and says where they are. To be sourced, at the top of the project.
# Release builds, which `make run` and `make bench` share.

cargo build --release -p sekisho -p sekisho-bench || return

programs=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
export SEKISHO_BIN=$programs/sekisho SEKISHO_HOME_BIN=$programs/sekisho-home SEKISHO_LOAD_BIN=$programs/sekisho-load
