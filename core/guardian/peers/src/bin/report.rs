//! Writes the table and the plot of a run into the documentation.
//!
//! `report CRITERION-FOLDER LOAD PAGE PLOT [PART…]`: the parts are Markdown files that are put below the tables.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use monstrum_guardian_peers::report::{measurements, plot, replaced, tables};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, load, page, picture, parts @ ..] = arguments.as_slice() else {
        return Err("usage: report CRITERION-FOLDER LOAD PAGE PLOT [PART…]".into());
    };
    let measurements = measurements(Path::new(folder))?;
    let mut part = format!(
        "Measured on {}, when the machine had a load of {load} from other work.\n\n{}",
        jiff::Zoned::now().date(),
        tables(&measurements)
    );
    for name in parts {
        part.push_str(&fs::read_to_string(name)?);
        part.push('\n');
    }
    let text = fs::read_to_string(page)?;
    let text = replaced(&text, &part).ok_or_else(|| format!("{page} has no marks for what was measured"))?;
    fs::write(page, text)?;
    fs::write(picture, plot(&measurements)?)?;
    print!("{part}");
    Ok(())
}
