//! Quantities (`500m`, `0.5`, `1Gi`), compared by what they mean.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

/// Digits after the point that count.
const PLACES: u32 = 9;

/// Whether two quantities are the same amount, to the thousandth that an API server rounds up to. What can't be read is
/// the same only as itself.
pub(super) fn same(left: &str, right: &str) -> bool {
    left == right || thousandths(left).is_some_and(|amount| thousandths(right) == Some(amount))
}

fn thousandths(text: &str) -> Option<i128> {
    const EACH: i128 = 1_000_000;
    nanos(text)?
        .checked_add(EACH.checked_sub(1)?)?
        .checked_div_euclid(EACH)
}

/// The amount in billionths.
fn nanos(text: &str) -> Option<i128> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | '-' | '+'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let places = u32::try_from(fraction.len()).ok()?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let ten = |exponent: u32| 10_i128.checked_pow(exponent);
    let two = |exponent: u32| 2_i128.checked_pow(exponent);
    let (factor, divisor) = match suffix {
        "n" => (1, ten(9)?),
        "u" => (1, ten(6)?),
        "m" => (1, ten(3)?),
        "" => (1, 1),
        "k" => (ten(3)?, 1),
        "M" => (ten(6)?, 1),
        "G" => (ten(9)?, 1),
        "T" => (ten(12)?, 1),
        "P" => (ten(15)?, 1),
        "E" => (ten(18)?, 1),
        "Ki" => (two(10)?, 1),
        "Mi" => (two(20)?, 1),
        "Gi" => (two(30)?, 1),
        "Ti" => (two(40)?, 1),
        "Pi" => (two(50)?, 1),
        "Ei" => (two(60)?, 1),
        exponent => (ten(exponent.strip_prefix(['e', 'E'])?.parse().ok()?)?, 1),
    };
    let scaled = digits.checked_mul(factor)?.checked_mul(ten(PLACES)?)?;
    scaled.checked_div(divisor)?.checked_div(ten(places)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0.5", "500m", true)]
    #[case("1024Mi", "1Gi", true)]
    #[case("1000m", "1", true)]
    #[case("1e3", "1k", true)]
    #[case("0.1", "100m", true)]
    #[case("+1", "1", true)]
    #[case("0.0001", "1m", true)]
    #[case("0.0011", "1m", false)]
    #[case("256Mi", "256M", false)]
    #[case("256Mi", "512Mi", false)]
    #[case("1", "1m", false)]
    #[case("", "0", false)]
    #[case("much", "much", true)]
    #[case("much", "more", false)]
    #[case("9999999999999999999999999999999999E", "1", false)]
    fn amounts_are_compared(#[case] left: &str, #[case] right: &str, #[case] expected: bool) {
        assert_eq!(same(left, right), expected);
        assert_eq!(same(right, left), expected);
    }
}
