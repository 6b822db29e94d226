//! The filter of the history page: by RP and by days.

use crate::clock::UtcTime;
use crate::model::{ClientId, HistoryFilter, Params};
use crate::ui::{self, FilterError, dates};

/// What was typed, and what it means.
pub(super) struct Filter {
    rp: String,
    from: String,
    to: String,
}

impl Filter {
    pub(super) fn read(query: &Params) -> Self {
        let text = |name| {
            let typed: &str = query.get(name).unwrap_or_default();
            typed.chars().take(2048).collect::<String>()
        };
        Self {
            rp: text("rp"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// What is wrong, per field; a wrong field does not filter.
    pub(super) fn errors(&self) -> Vec<FilterError> {
        let mut errors = Vec::new();
        if !self.from.is_empty() && self.start_time().is_none() {
            errors.push(FilterError::FromInvalid);
        }
        if !self.to.is_empty() && self.end_time().is_none() {
            errors.push(FilterError::ToInvalid);
        }
        if let (Some(from), Some(to)) = (self.start_time(), self.end_time())
            && to <= from
        {
            errors.push(FilterError::ToBeforeFrom);
        }
        errors
    }

    pub(super) fn to_store(&self) -> HistoryFilter {
        HistoryFilter {
            client_id: (!self.rp.is_empty()).then(|| ClientId::new(self.rp.clone())),
            from: self.start_time(),
            until: self.end_time(),
        }
    }

    pub(super) fn to_page(&self) -> ui::HistoryFilter {
        ui::HistoryFilter {
            rp: self.rp.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
        }
    }

    /// To be kept in links.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &str)> {
        vec![("rp", &self.rp), ("from", &self.from), ("to", &self.to)]
    }

    fn start_time(&self) -> Option<UtcTime> {
        dates::day_bounds(&self.from).map(|(start, _)| start)
    }

    fn end_time(&self) -> Option<UtcTime> {
        dates::day_bounds(&self.to).map(|(_, end)| end)
    }
}
