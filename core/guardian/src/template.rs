//! Text with JSON Pointers in braces, for example `{/owner}/{/repo}`. It is read here and nowhere else: whoever judges a template, fills
//! it, or reads it backwards sees the same pieces.

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself.
    Literal(&'a str),
    /// A JSON Pointer (RFC 6901), whose value takes its place.
    Pointer(&'a str),
}

/// The pieces of a template, in order, or what is wrong with it (reads after the template's or its field's name).
pub fn pieces(template: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (pointer, tail) = after
            .split_once('}')
            .ok_or("has '{' without '}': write an argument as {/name}")?;
        if !pointer.starts_with('/') || pointer.contains('{') {
            return Err("has braces around something else than a JSON Pointer: write an argument as {/name}");
        }
        pieces.extend(text(literal)?);
        pieces.push(Piece::Pointer(pointer));
        rest = tail;
    }
    pieces.extend(text(rest)?);
    Ok(pieces)
}

fn text(literal: &str) -> Result<Option<Piece<'_>>, &'static str> {
    if literal.contains('}') {
        return Err("has '}' without '{': write an argument as {/name}");
    }
    Ok((!literal.is_empty()).then_some(Piece::Literal(literal)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain", &[Piece::Literal("plain")])]
    #[case("{/owner}/{/repo}", &[Piece::Pointer("/owner"), Piece::Literal("/"), Piece::Pointer("/repo")])]
    #[case("a{/b}c", &[Piece::Literal("a"), Piece::Pointer("/b"), Piece::Literal("c")])]
    #[case("ü{/a~1b}", &[Piece::Literal("ü"), Piece::Pointer("/a~1b")])]
    #[case("", &[])]
    fn pieces_are_found(#[case] template: &str, #[case] expected: &[Piece<'_>]) {
        assert_eq!(pieces(template).unwrap(), expected);
    }

    #[rstest]
    #[case("{/a")]
    #[case("/a}")]
    #[case("{a}")]
    #[case("{}")]
    #[case("{ /a}")]
    #[case("{{/a}}")]
    #[case("}{/a}")]
    #[case("/repos/{/owner")]
    fn other_braces_are_refused(#[case] template: &str) {
        assert!(pieces(template).unwrap_err().contains("{/name}"));
    }
}
