//! Hides the sensitive data in the document of a spec.

use std::borrow::Cow;

use crate::{
    registry::notation::HIDDEN,
    spec::{
        Spec,
        document::{Bits, DataExpression, Document, Keep, Literal, Scalar, ValueRule},
    },
};

/// Returns the spec's document, in which the data of sensitive values and the defaults of sensitive parameters are
/// hidden.
pub(super) fn document(spec: &Spec) -> Cow<'_, Document> {
    let mut document = Cow::Borrowed(&spec.document);
    for (at, rule) in spec.document.registry.iter().enumerate() {
        for (name, _) in rule.values.iter().filter(|(_, value)| value.is_sensitive(&spec.sensitive)) {
            document.to_mut().registry[at].values.get_mut(name).into_iter().for_each(hide);
        }
    }
    for name in &spec.sensitive {
        if let Some(parameter) = document.to_mut().parameters.get_mut(name) {
            parameter.default.iter_mut().for_each(hide_literal);
        }
    }
    document
}

fn hide(value: &mut ValueRule) {
    let ValueRule { data, if_absent, keep, allowed, bits, list, replace, .. } = value;
    let edited = list.iter_mut().flat_map(|list| [&mut list.add, &mut list.remove]).flatten();
    let bounds = keep.iter_mut().flat_map(|keep| match keep {
        Keep::Which(which) => [&mut which.at_least, &mut which.at_most].into_iter().flatten().collect(),
        Keep::Word(_) => Vec::new(),
    });
    if let Some(replace) = replace {
        HIDDEN.clone_into(&mut replace.pattern);
        if let DataExpression::Literal(literal) = &mut replace.with {
            hide_literal(literal);
        }
    }
    for expression in data.iter_mut().chain(if_absent).chain(edited).chain(bounds) {
        if let DataExpression::Literal(literal) = expression {
            hide_literal(literal);
        }
    }
    if let Some(Keep::Which(which)) = keep {
        which.one_of.iter_mut().chain(&mut which.not).flatten().for_each(hide_literal);
        let texts = which.contains.iter_mut().chain(&mut which.subset).flatten().chain(&mut which.matches);
        texts.for_each(|text| HIDDEN.clone_into(text));
    }
    allowed.iter_mut().flatten().for_each(hide_scalar);
    if let Some(bits) = bits.as_deref_mut() {
        let Bits { set, clear } = bits;
        set.iter_mut().chain(clear).for_each(hide_scalar);
    }
}

fn hide_literal(literal: &mut Literal) {
    *literal = Literal::Text(HIDDEN.to_owned());
}

fn hide_scalar(scalar: &mut Scalar) {
    *scalar = Scalar::Text(HIDDEN.to_owned());
}
