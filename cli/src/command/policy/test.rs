//! `policy test`: calls with the decisions that are expected on them.

mod case;
mod coverage;
mod file;
mod junit;
mod outcome;
mod report;

use std::fs;
use std::path::PathBuf;

use self::coverage::Coverage;
use self::file::TestFile;
use self::outcome::Report;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{self, InputError};
use crate::output::{Format, Screen};

/// Run policy tests: calls with the decisions that are expected on them
///
/// A test file names objects (`files`, relative to itself, and `objects`, inline) and tests. A test is a call with the
/// decision that is expected, or says which tools a bot sees or doesn't. No cluster is needed and nothing is executed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum policy test policy/tests/
  monstrum policy test tests.yaml --junit report.xml --min-coverage 100

A test file:
  files: [../github.yaml, ../team-a/]
  bot: triage
  tests:
    - name: reads issues of a granted repository
      tool: github_list_issues
      arguments: {owner: acme, repo: web}
      expect: allow
    - name: never another owner's
      tool: github_list_issues
      arguments: {owner: evil, repo: web}
      expect: deny
      reason: OutOfScope
    - name: cannot open issues
      hides: [github_create_issue]

Beside tool and arguments (or argumentsText, for what is no JSON), a test may say bot, reason, grant, canonical (the
arguments that would be executed), now (a time) and used (of quotas, by GRANT/QUOTA, and
of budgets, by bot/BUDGET and workspace/BUDGET). `sees` is the exact list of tools,
`hides` are tools that must not be visible.

The exit code is 0 when every test passes and the coverage is enough, 1 when not, and 66 when there is no test.")]
pub(crate) struct TestArgs {
    /// Test files, or folders of them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[arg(help = "Write a JUnit report to this file as well", long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail when less than this share of grants and dimensions is covered, in per cent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
    /// Show every test, not only failing ones, and what is not covered
    #[arg(short, long)]
    verbose: bool,
}

pub(super) fn run(args: &TestArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let mut report = Report::default();
    for source in files::collect(&args.files)? {
        for file in TestFile::read(&source)? {
            let (outcomes, coverage) = file.run();
            report.add(&source.name, outcomes, coverage);
        }
    }
    if report.passed == 0 && report.failed == 0 {
        let paths = files::names_of(&args.files);
        return Err(InputError::NoTests { paths }.into());
    }
    if let Some(path) = &args.junit {
        fs::write(path, junit::render(&report)).map_err(|source| Failure::Write {
            path: path.display().to_string(),
            source,
        })?;
    }
    if screen.format() == Format::Table {
        screen.text(&report::render(&report, args.verbose))?;
    } else {
        screen.data(&report)?;
    }
    let covered = args
        .min_coverage
        .is_none_or(|least| enough(&report.coverage, least, screen.format()));
    Ok(if report.failed == 0 && covered {
        Exit::Success
    } else {
        Exit::Found
    })
}

fn enough(coverage: &Coverage, least: u8, format: Format) -> bool {
    let enough = coverage.percent() >= u64::from(least);
    if !enough && format == Format::Table {
        anstream::eprintln!(
            "{} % of grants and dimensions are covered, {least} % are asked for",
            coverage.percent()
        );
    }
    enough
}
