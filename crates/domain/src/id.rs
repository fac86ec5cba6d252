//! Ids: UUIDs (version 7, so that they sort by time of making) with a type of their own.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+ };
}

ids! {
    /// An MSP's account.
    OrganisationId,
    /// Someone of the MSP.
    StaffId,
    /// A signed-in browser.
    SessionId,
    /// A key for machines.
    ApiKeyId,
    /// A business the MSP manages.
    ClientId,
    /// One account at a vendor.
    ConnectionId,
    /// What a vendor calls a customer.
    EntityId,
    /// One thing a vendor told us.
    RecordId,
    /// One execution of a sync.
    RunId,
    /// One journal entry, and the change set in it.
    EntryId,
    /// One job of the queue.
    JobId,
    /// One change sent to a vendor.
    VendorWriteId,
    /// One thing that drifted at a vendor: made of its cause, so that another cause has another.
    DriftId,
    /// An id typed for a client before its vendor listed it.
    UnverifiedMappingId,
    /// What a client is known by at vendors.
    ClientAliasId,
    /// A connection shared with a client.
    ConnectionShareId,
    /// One machine, whoever tells us of it.
    DeviceId,
    /// What a person decided about two observations of machines.
    DeviceRulingId,
    /// Someone of a client who signs in to ClientOne.
    PortalUserId,
    /// A browser that is signed in to ClientOne.
    PortalSessionId,
    /// A device assigned to a portal user.
    PortalDeviceId,
    /// One letter of the outbox.
    MailId,
    /// Something that portal users can ask for.
    ServiceRequestTypeId,
    /// A request of a portal user.
    ServiceRequestId,
    /// Something that was done with a request.
    ServiceRequestStepId,
    /// One version of an agreement.
    AgreementId,
    /// A client's copy of one version of an agreement.
    AgreementInstanceId,
    /// One invitation to the team.
    StaffInvitationId,
    /// Someone at a client whom the MSP keeps itself.
    ClientContactId,
    /// A dated note about a client.
    ClientNoteId,
    /// A filter that someone keeps.
    SavedFilterId,
    /// The connecting of a tenant.
    TenantConnectId,
    /// What people say of a tenant.
    TenantSettingId,
    /// A document that the MSP wrote.
    LibraryDocumentId,
    /// Something that a person has to decide about a client and its company at a PSA.
    PsaConflictId,
    /// A second factor of someone who signs in.
    SecondFactorId,
    /// A sign-in that has yet to show a second factor.
    PendingSessionId,
    /// One version of a template of onboarding.
    OnboardingTemplateId,
    /// An onboarding of a client.
    OnboardingId,
    /// One step of a client's onboarding.
    OnboardingStepId,
    /// An address that is told of events.
    WebhookSubscriptionId,
    /// An event on its way to one address.
    WebhookDeliveryId,
    /// Something that a portal user is told of.
    NotificationId,
    /// One thing done to many clients, and the change set of it.
    BulkOperationId,
    /// Something that somebody asked for and somebody else decides about.
    ApprovalId,
    /// A file that the MSP keeps.
    FileId,
    /// One content in the store.
    ContentId,
    /// A signed statement of how far a journal went.
    JournalCheckpointId,
    /// A role of an organisation's own.
    CustomRoleId,
    /// A machine that acts for the organisation, not for a person of it.
    ServiceAccountId,
    /// One secret of a service account.
    ServiceAccountSecretId,
    /// A short-lived token of a service account.
    AccessTokenId,
    /// An identity provider.
    SsoProviderId,
    /// An account that an identity of a provider opens.
    SsoLinkId,
    /// What a person fixed of a device.
    DeviceLockId,
    /// Something that staff were told of ClientOne.
    DeskNoticeId,
    /// A file of a ticket.
    TicketAttachmentId,
    /// A ticket of a client, as ClientOne keeps it.
    PortalTicketId,
    /// Something that was said or done with such a ticket.
    PortalTicketMessageId,
    /// Something of such a ticket that is to reach a PSA.
    TicketSendingId,
    /// A passkey of someone who signs in.
    PasskeyId,
}
