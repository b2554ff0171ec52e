//! The ledger's process: `monstrum-ledger serve` and `monstrum-ledger backup`.

fn main() -> std::process::ExitCode {
    monstrum_ledger::command::main()
}
