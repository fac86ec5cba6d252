//! Rights over a vendor: finance has some of them for the shelf "Billing" only.

use domain::{Context, Error, Grant, Permission, Result};
use integration::Category;

/// Refuses unless the caller has this right over vendors of this shelf.
pub fn allowed(context: &Context, permission: Permission, category: Category) -> Result<()> {
    match context.permissions.grant(permission) {
        Grant::Yes => Ok(()),
        Grant::Billing if category == Category::Billing => Ok(()),
        Grant::Billing | Grant::Approval | Grant::No => Err(Error::Forbidden { permission }),
    }
}

#[cfg(test)]
mod tests {
    use domain::{OrganisationId, Permissions, Role, Timestamp};

    use super::*;

    #[test]
    fn finance_reaches_billing_vendors_only() {
        let mut context = Context::operator(OrganisationId(uuid::Uuid::nil()), Timestamp::UNIX_EPOCH);
        context.permissions = Permissions::of(Role::Finance);
        assert!(allowed(&context, Permission::ConnectionsManage, Category::Billing).is_ok());
        assert!(allowed(&context, Permission::ConnectionsManage, Category::RmmAndPsa).is_err());
        assert!(allowed(&context, Permission::SyncRelease, Category::Billing).is_err());
        context.permissions = Permissions::of(Role::Admin);
        assert!(allowed(&context, Permission::ConnectionsManage, Category::RmmAndPsa).is_ok());
    }
}
