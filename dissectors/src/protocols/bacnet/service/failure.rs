//! What follows the error type in the errors of certain services (clause 21): where the request failed.

use super::{Decoded, property_reference, vendor_service};
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::Reader;

/// The element of the request that failed, by the service's name in the tables.
pub fn failed_element(name: &str, r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    match name {
        "write_property_multiple" => {
            r.open(1, "first failed write attempt")?;
            failed_property(r, draft)?;
            r.close(1, "first failed write attempt")
        }
        "subscribe_cov_property_multiple" => r.constructed(1, "first failed subscription"),
        "add_list_element" | "remove_list_element" | "create_object" => {
            let element = r.unsigned(1, "first failed element number")?;
            draft.message.push_values([f64::from(element)]);
            Ok(())
        }
        "confirmed_private_transfer" => {
            vendor_service(1, r, draft)?;
            r.skip_all();
            Ok(())
        }
        "vt_close" => r.skip_constructed(1, "VT session identifiers"),
        _ => Ok(()),
    }
}

fn failed_property(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    let at = property_reference(r, draft)?;
    draft.message.objects[at].status = draft.message.status;
    Ok(())
}
