//! The part of SuperOps's schema that is simulated; `checks.rs` holds requests against it.

/// Root fields: name, type of the input ("" for none), type of the answer.
pub(super) const QUERIES: &[(&str, &str, &str)] = &[
    ("getAlertList", "ListInfoInput!", "AlertList"),
    ("getAssetList", "ListInfoInput!", "AssetList"),
    ("getClient", "ClientIdentifierInput!", "Client"),
    ("getClientList", "ListInfoInput!", "ClientList"),
    ("getClientSiteList", "GetClientSiteListInput!", "ClientSiteList"),
    ("getClientUser", "ClientUserIdentifierInput!", "ClientUser"),
    ("getClientUserList", "GetClientUserListInput!", "ClientUserList"),
    ("getInvoiceList", "ListInfoInput!", "InvoiceList"),
    ("getPriorityList", "", "[Priority]"),
    ("getRequesterRoleList", "", "[Role]"),
    ("getStatusList", "", "[Status]"),
    ("getTechnicianGroupList", "", "[TechnicianGroup]"),
    ("getTicket", "TicketIdentifierInput!", "Ticket"),
    ("getTicketList", "ListInfoInput!", "TicketList"),
];

pub(super) const MUTATIONS: &[(&str, &str, &str)] = &[
    ("createClientUser", "CreateClientUserInput!", "ClientUser"),
    ("createClientV2", "CreateClientInputV2!", "Client"),
    ("createTicket", "CreateTicketInput!", "Ticket"),
    ("createTicketNote", "CreateTicketNoteInput!", "Note"),
    ("deleteClientUser", "DeleteUserInput!", "ID"),
    ("updateClient", "UpdateClientInput!", "Client"),
    ("updateClientSite", "UpdateClientSiteInput!", "ClientSite"),
    ("updateClientUser", "UpdateClientUserInput!", "ClientUser"),
    ("updateTicket", "UpdateTicketInput!", "Ticket"),
];

/// Fields of answers: those without a type are scalars, JSON ones among them.
pub(super) const OBJECTS: &[(&str, &str)] = &[
    ("AlertList", "alerts:Alert listInfo:ListInfo"),
    ("AssetList", "assets:Asset listInfo:ListInfo"),
    ("ClientList", "clients:Client listInfo:ListInfo"),
    ("ClientSiteList", "sites:ClientSite listInfo:ListInfo"),
    ("ClientUserList", "userList:ClientUser listInfo:ListInfo"),
    ("InvoiceList", "invoices:Invoice listInfo:ListInfo"),
    ("TicketList", "tickets:Ticket listInfo:ListInfo"),
    ("ListInfo", "page pageSize hasMore totalCount condition"),
    ("Alert", "id message createdTime status severity description asset policy"),
    (
        "Asset",
        "assetId name assetClass client site requester primaryMac loggedInUser serialNumber manufacturer model \
         hostName publicIp gateway platform domain status sysUptime lastCommunicatedTime agentVersion \
         platformFamily platformCategory platformVersion patchStatus warrantyExpiryDate purchasedDate customFields",
    ),
    (
        "Client",
        "accountId name stage status emailDomains accountManager primaryContact secondaryContact hqSite \
         technicianGroups customFields",
    ),
    (
        "ClientSite",
        "id name timezoneCode working24x7 line1 line2 line3 city postalCode countryCode stateCode contactNumber \
         client hq",
    ),
    ("ClientUser", "userId firstName lastName name email contactNumber reportingManager site role client customFields"),
    (
        "Invoice",
        "invoiceId displayId client site invoiceDate dueDate statusEnum sentToClient discountAmount \
         additionalDiscount additionalDiscountRate totalAmount notes paymentDate paymentMethod paymentReference \
         invoicePaymentTerm",
    ),
    (
        "Ticket",
        "ticketId displayId subject ticketType requestType source client site requester additionalRequester \
         followers techGroup technician status priority impact urgency category subcategory cause subcause \
         resolutionCode sla createdTime updatedTime firstResponseDueTime firstResponseTime firstResponseViolated \
         resolutionDueTime resolutionTime resolutionViolated customFields worklogTimespent",
    ),
    ("Note", "noteId addedBy addedOn content privacyType"),
    ("Priority", "id name colorCode"),
    ("Role", "roleId name description"),
    ("Status", "id name description"),
    ("TechnicianGroup", "groupId name"),
];

/// Fields of inputs with their types; `!` must be there.
pub(super) const INPUTS: &[(&str, &str)] = &[
    ("ListInfoInput", "page:Int pageSize:Int condition:JSON sort:[SortInput]"),
    ("SortInput", "attribute:String order:SortOrder"),
    ("GetClientSiteListInput", "clientId:ID listInfo:ListInfoInput"),
    ("GetClientUserListInput", "clientId:ID listInfo:ListInfoInput"),
    ("ClientIdentifierInput", "accountId:ID!"),
    ("ClientSiteIdentifierInput", "id:ID!"),
    ("ClientUserIdentifierInput", "userId:ID!"),
    ("RoleIdentifierInput", "roleId:ID!"),
    ("TechnicianGroupIdentifierInput", "groupId:ID!"),
    ("TicketIdentifierInput", "ticketId:ID!"),
    (
        "CreateClientInputV2",
        "name:String! stage:String status:String emailDomains:[String] hqSite:CreateClientSiteInput!",
    ),
    (
        "CreateClientSiteInput",
        "name:String! working24x7:Boolean! timezoneCode:String! line1:String line2:String line3:String city:String \
         postalCode:String countryCode:String stateCode:String client:ClientIdentifierInput",
    ),
    ("UpdateClientInput", "accountId:ID! name:String stage:String status:String emailDomains:[String]"),
    (
        "UpdateClientSiteInput",
        "id:ID! name:String timezoneCode:String working24x7:Boolean line1:String line2:String line3:String \
         city:String postalCode:String countryCode:String stateCode:String contactNumber:String hq:Boolean",
    ),
    (
        "CreateClientUserInput",
        "firstName:String! lastName:String email:String! contactNumber:String role:RoleIdentifierInput! \
         addAssociations:[CreateClientUserAssociationInput]",
    ),
    ("CreateClientUserAssociationInput", "client:ClientIdentifierInput! site:ClientSiteIdentifierInput!"),
    (
        "UpdateClientUserInput",
        "userId:ID! firstName:String lastName:String email:String contactNumber:String \
         site:ClientSiteIdentifierInput role:RoleIdentifierInput",
    ),
    ("DeleteUserInput", "userId:ID! forget:Boolean"),
    (
        "CreateTicketInput",
        "subject:String! description:String client:ClientIdentifierInput! site:ClientSiteIdentifierInput \
         requester:ClientUserIdentifierInput techGroup:TechnicianGroupIdentifierInput status:String \
         requestType:String source:TicketSource! priority:String",
    ),
    (
        "UpdateTicketInput",
        "ticketId:ID! subject:String requester:ClientUserIdentifierInput techGroup:TechnicianGroupIdentifierInput \
         status:String priority:String requestType:String source:TicketSource",
    ),
    (
        "CreateTicketNoteInput",
        "ticket:TicketIdentifierInput! content:String! addedOn:String privacyType:NotePrivacyType",
    ),
];

pub(super) const ENUMS: &[(&str, &[&str])] = &[
    ("SortOrder", &["ASC", "DESC"]),
    ("TicketSource", &["FORM", "AGENT", "EMAIL", "AI", "PHONE", "INTEGRATION"]),
    ("NotePrivacyType", &["PUBLIC", "PRIVATE"]),
];
