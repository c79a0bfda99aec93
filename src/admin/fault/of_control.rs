//! What control refuses, as problems: each of its reasons is a kind of its own.

use serde_json::Value;

use super::Fault;
use super::kinds::{
    GONE, INVALID_VALUE, KEY_REUSED, NO_PART, NO_PLACE, NOT_NOW, NOT_STORED, NOTHING_LEFT,
    NOTHING_TO_END, OVER_CAPACITY, TOO_MANY, UNKNOWN_PLAN, UNKNOWN_RECORD, UNKNOWN_REGION,
};
use crate::control::Gone;
use crate::control::command::Refusal;

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::UnknownRegion { region, .. } => {
                Self::new(UNKNOWN_REGION, detail).with("region", region)
            }
            Refusal::UnknownRecord { record, .. } => {
                Self::new(UNKNOWN_RECORD, detail).with("record", record)
            }
            Refusal::NoPart { region, record, .. } => {
                Self::new(NO_PART, detail).with("region", region).with("record", record)
            }
            Refusal::NothingToEnd(_) => Self::new(NOTHING_TO_END, detail),
            Refusal::UnknownPlan(_) => Self::new(UNKNOWN_PLAN, detail),
            Refusal::NotNow(_) => Self::new(NOT_NOW, detail),
            Refusal::NoPlace { records, .. } => {
                let records = serde_json::to_value(records).unwrap_or(Value::Null);
                Self::new(NO_PLACE, detail).with("records", records)
            }
            Refusal::NothingLeft { records, count, .. } => {
                let records = serde_json::to_value(records).unwrap_or(Value::Null);
                Self::new(NOTHING_LEFT, detail).with("records", records).with("count", count)
            }
            Refusal::OverCapacity { regions, demand, .. } => {
                let regions = serde_json::to_value(regions).unwrap_or(Value::Null);
                Self::new(OVER_CAPACITY, detail).with("regions", regions).with("demand", demand)
            }
            Refusal::TooMany(most) => Self::new(TOO_MANY, detail).with("most", most),
            Refusal::KeyReused => Self::new(KEY_REUSED, detail),
            Refusal::Invalid(_) => Self::new(INVALID_VALUE, detail),
            Refusal::NotStored(_) => Self::new(NOT_STORED, detail),
            Refusal::Gone => Self::new(GONE, detail),
        }
    }
}

impl From<Gone> for Fault {
    fn from(gone: Gone) -> Self {
        Self::new(GONE, gone.to_string())
    }
}
