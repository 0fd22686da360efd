#include "tools/rohrpost-sim/refusals.hpp"

#include <algorithm>
#include <cstdlib>

namespace sim {

const std::vector<Refusal>& entra_refusals() {
    static const std::vector<Refusal> all{
        {"16000", 400, "interaction_required", 16000, "",
         "Selected user account does not exist in tenant 'Sim' and cannot access the application 'rohrpost-sim' in "
         "that tenant. The account needs to be added as an external user in the tenant first. Please use a different "
         "account."},
        {"16003", 400, "interaction_required", 16003, "",
         "The selected user account was not found in the tenant. The account needs to be added as an external user in "
         "the tenant first."},
        {"28002", 400, "invalid_scope", 28002, "",
         "Provided value for the input parameter scope is not valid when requesting an access token. Please specify a "
         "valid scope."},
        {"28003", 400, "invalid_scope", 28003, "",
         "Provided value for the input parameter scope can't be empty when requesting an access token using the "
         "provided authorization code. Please specify a valid scope."},
        {"40010", 503, "temporarily_unavailable", 40010, "",
         "A retryable error occurred at the external identity provider. Please try again later."},
        {"50001", 400, "invalid_resource", 50001, "",
         "The resource principal named https://outlook.example was not found in the tenant named Sim. This can happen "
         "if the application has not been installed by the administrator of the tenant or consented to by any user in "
         "the tenant."},
        {"50002", 400, "access_denied", 50002, "message_only",
         "Sign-in failed due to restricted proxy access. The proxy settings of the tenant do not allow this sign-in."},
        {"50003", 401, "invalid_client", 50003, "",
         "No signing key is configured. Sign-in failed because of a missing signing key or certificate."},
        {"50005", 400, "invalid_grant", 50005, "additional_action",
         "User tried to log in to a device from a platform (Unknown) that's currently not supported through "
         "Conditional Access policy."},
        {"50011", 400, "invalid_request", 50011, "",
         "The redirect URI specified in the request does not match the redirect URIs configured for the application "
         "'rohrpost-sim'. Make sure the redirect URI sent in the request matches one added to your application in the "
         "Azure portal."},
        {"50012", 401, "invalid_client", 50012, "",
         "Authentication failed. The client assertion could not be verified."},
        {"50013", 401, "invalid_client", 50013, "", "Assertion failed signature validation or is not valid."},
        {"50014", 400, "invalid_grant", 50014, "basic_action",
         "The user's redemption is in a pending state. The guest user account is not fully created yet."},
        {"50020", 400, "invalid_grant", 50020, "basic_action",
         "User account 'alien@other.test' from identity provider 'https://other.test/' does not exist in tenant 'Sim' "
         "and cannot access the application 'rohrpost-sim' in that tenant. The account needs to be added as an "
         "external user in the tenant first. Sign out and sign in again with a different user account."},
        {"50027", 400, "invalid_request", 50027, "", "JWT token is invalid or malformed."},
        {"50033", 503, "temporarily_unavailable", 50033, "", "A transient error has occurred. Please try again."},
        {"50034", 400, "invalid_grant", 50034, "basic_action",
         "The user account does not exist in the tenant directory. To sign into this application, the account must be "
         "added to the directory."},
        {"50049", 400, "invalid_request", 50049, "", "Unknown or invalid instance."},
        {"50053", 400, "invalid_grant", 50053, "message_only",
         "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."},
        {"50055", 400, "invalid_grant", 50055, "user_password_expired", "The password is expired."},
        {"50056", 400, "invalid_grant", 50056, "basic_action",
         "Invalid or null password: password does not exist in the directory for this user."},
        {"50057", 400, "invalid_grant", 50057, "message_only", "The user account is disabled."},
        {"50058", 400, "login_required", 50058, "", "A silent sign-in request was sent but no user is signed in."},
        {"50059", 400, "invalid_request", 50059, "",
         "No tenant-identifying information found in either the request or implied by any provided credentials."},
        {"50064", 400, "invalid_grant", 50064, "basic_action",
         "Credential validation on username or password has failed."},
        {"50072", 400, "invalid_grant", 50072, "basic_action",
         "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
         "enroll in multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'."},
        {"50074", 400, "invalid_grant", 50074, "basic_action",
         "Strong authentication is required and the user did not pass the MFA challenge."},
        {"50076", 400, "invalid_grant", 50076, "basic_action",
         "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
         "use multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'."},
        {"50078", 400, "invalid_grant", 50078, "basic_action",
         "Presented multi-factor authentication has expired due to policies configured by your administrator, you must "
         "refresh your multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'."},
        {"50079", 400, "invalid_grant", 50079, "basic_action",
         "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
         "enroll in multi-factor authentication."},
        {"50085", 400, "invalid_grant", 50085, "bad_token",
         "The refresh token needs a social identity provider login. The user must sign in again with name and "
         "password."},
        {"50087", 503, "temporarily_unavailable", 50087, "",
         "A transient error has occurred during single sign-out. Please try again."},
        {"50088", 503, "temporarily_unavailable", 50088, "",
         "Limit on telecom MFA calls reached. Please try again in a few minutes."},
        {"50089", 400, "invalid_grant", 50089, "token_expired", "Authentication failed due to flow token expired."},
        {"50097", 400, "invalid_grant", 50097, "device_authentication_failed", "Device authentication is required."},
        {"50105", 400, "invalid_grant", 50105, "message_only",
         "Your administrator has configured the application Rohrpost ('rohrpost-sim') to block users unless they are "
         "specifically granted ('assigned') access to the application. The signed in user is blocked because they are "
         "not a direct member of a group with access, nor had access directly assigned by an administrator."},
        {"50125", 400, "invalid_grant", 50125, "basic_action",
         "Sign-in was interrupted because of a password reset or password registration entry."},
        {"50126", 400, "invalid_grant", 50126, "basic_action",
         "Error validating credentials due to invalid username or password."},
        {"50128", 400, "invalid_request", 50128, "",
         "Invalid domain name. No tenant-identifying information found in either the request or implied by any "
         "provided credentials."},
        {"50129", 400, "invalid_grant", 50129, "device_authentication_failed",
         "Device is not workplace joined. Workplace join is required to register the device."},
        {"50131", 400, "invalid_grant", 50131, "message_only",
         "Device is not in the required state, or the sign-in was blocked due to suspicious activity, access policy or "
         "security policy decisions."},
        {"50132", 400, "invalid_grant", 50132, "bad_token",
         "The session is not valid due to the following reasons: password expiration or recent password change."},
        {"50133", 400, "invalid_grant", 50133, "bad_token",
         "Session is invalid due to expiration or recent password change."},
        {"50135", 400, "invalid_grant", 50135, "basic_action", "Password change is required due to account risk."},
        {"50140", 400, "interaction_required", 50140, "basic_action",
         "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."},
        {"50143", 400, "invalid_grant", 50143, "basic_action",
         "Session mismatch. Session is invalid because user tenant does not match the domain hint due to different "
         "resource."},
        {"50144", 400, "invalid_grant", 50144, "user_password_expired",
         "The user's Active Directory password has expired. Generate a new password for the user or have the user use "
         "the self-service reset tool."},
        {"50147", 400, "invalid_request", 50147, "", "The size of the code_challenge parameter is not valid."},
        {"50155", 400, "invalid_grant", 50155, "device_authentication_failed",
         "Device authentication failed for this user."},
        {"50158", 400, "interaction_required", 50158, "basic_action", "External security challenge was not satisfied."},
        {"50161", 400, "invalid_grant", 50161, "basic_action",
         "Authorization to the external claims provider could not be verified: claims sent by the external provider "
         "are not enough."},
        {"50173", 400, "invalid_grant", 50173, "bad_token",
         "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
         "changed or reset their password. The grant was issued on '2026-01-01T00:00:00.0000000Z' and the "
         "TokensValidFrom date (before which tokens are not valid) for this user is '2026-02-01T00:00:00.0000000Z'."},
        {"50187", 400, "invalid_grant", 50187, "device_authentication_failed",
         "Failed to perform device authentication."},
        {"50194", 400, "invalid_request", 50194, "",
         "Application 'rohrpost-sim'(Rohrpost) is not configured as a multi-tenant application. Usage of the /common "
         "endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or "
         "configure the application to be multi-tenant."},
        {"50196", 400, "invalid_grant", 50196, "",
         "The server terminated an operation because it encountered a client request loop. Please contact your app "
         "vendor."},
        {"50197", 400, "invalid_grant", 50197, "basic_action",
         "The user could not be found. The sign-in names conflicting identities, please sign in again."},
        {"50199", 400, "interaction_required", 50199, "basic_action",
         "For security reasons, user confirmation is required for this request."},
        {"51004", 400, "invalid_grant", 51004, "basic_action",
         "The user account does not exist in the directory. To sign into this application, the account must be added "
         "to the directory."},
        {"53000", 400, "invalid_grant", 53000, "additional_action",
         "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, "
         "and the device is not compliant."},
        {"53001", 400, "invalid_grant", 53001, "additional_action",
         "Device is not in required device state: domain_joined. Conditional Access policy requires a domain joined "
         "device, and the device is not domain joined."},
        {"53002", 400, "invalid_grant", 53002, "protection_policy_required",
         "Application used is not an approved application for conditional access. User needs to use one of the apps "
         "from the list of approved applications to use in order to get access."},
        {"53003", 400, "invalid_grant", 53003, "message_only",
         "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
        {"53004", 400, "invalid_grant", 53004, "basic_action",
         "User needs to complete the multi-factor authentication registration process before accessing this content."},
        {"53010", 400, "invalid_grant", 53010, "basic_action",
         "Cannot configure multi-factor authentication methods because the organization requires this information to "
         "be set from specific locations or devices."},
        {"53011", 400, "invalid_grant", 53011, "message_only", "User blocked due to risk on home tenant."},
        {"54005", 400, "invalid_grant", 54005, "",
         "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
         "refresh token."},
        {"65001", 400, "invalid_grant", 65001, "consent_required",
         "The user or administrator has not consented to use the application with ID 'rohrpost-sim' named 'Rohrpost'. "
         "Send an interactive authorization request for this user and resource."},
        {"65004", 400, "access_denied", 65004, "", "User declined to consent to access the app."},
        {"65005", 401, "invalid_client", 65005, "",
         "The application 'rohrpost-sim' asked for scope 'IMAP.AccessAsUser.All' that doesn't exist on the resource, "
         "or is misconfigured: the required resource access list does not contain applications discoverable by the "
         "resource."},
        {"70000", 400, "invalid_grant", 70000, "",
         "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."},
        {"70001", 400, "unauthorized_client", 70001, "",
         "The application named rohrpost-sim was not found in the tenant named Sim. This can happen if the application "
         "has not been installed by the administrator of the tenant or consented to by any user in the tenant. You "
         "might have sent your authentication request to the wrong tenant."},
        {"70002", 401, "invalid_client", 70002, "",
         "Error validating credentials. The specified client secret does not match the expected value for this "
         "client."},
        {"70003", 400, "unsupported_grant_type", 70003, "", "The app requested an unsupported grant type."},
        {"70004", 400, "invalid_request", 70004, "",
         "The app returned an invalid redirect URI. The redirect address specified by the client does not match any "
         "configured addresses or any addresses on the OIDC approve list."},
        {"70005", 400, "unsupported_response_type", 70005, "",
         "The app returned an unsupported response type: the response type 'token' is not enabled for the app."},
        {"70007", 400, "unsupported_response_type", 70007, "",
         "The app returned an unsupported value of 'response_mode' when requesting a token."},
        {"70008", 400, "invalid_grant", 70008, "token_expired",
         "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
         "authorization request for this user and resource."},
        {"70011", 400, "invalid_scope", 70011, "",
         "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
         "'scope' is not valid."},
        {"70012", 500, "server_error", 70012, "",
         "A server error occurred while authenticating an MSA (consumer) user. Try again."},
        {"70016", 400, "authorization_pending", 70016, "",
         "OAuth 2.0 device flow error. Authorization is pending. Continue polling."},
        {"70018", 400, "bad_verification_code", 70018, "",
         "Invalid verification code due to user typing in wrong user code for device code flow. Authorization isn't "
         "approved."},
        {"70019", 400, "expired_token", 70019, "", "Verification code expired. Have the user retry the sign-in."},
        {"70043", 400, "invalid_grant", 70043, "token_expired",
         "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token "
         "was issued on 2026-01-01T00:00:00.0000000Z and the maximum allowed lifetime for this request is 86400."},
        {"80001", 503, "server_error", 80001, "", "Authentication Agent is unable to connect to Active Directory."},
        {"80002", 503, "server_error", 80002, "",
         "Internal error. Password validation request timed out. The internal Hybrid Identity Service did not answer "
         "in time."},
        {"80005", 503, "server_error", 80005, "",
         "Authentication Agent encountered a WebException: an unknown error occurred while processing the response "
         "from the Authentication Agent."},
        {"80014", 503, "server_error", 80014, "", "Validation request responded after maximum elapsed time exceeded."},
        {"81012", 400, "invalid_grant", 81012, "basic_action",
         "The user who is trying to sign in to Microsoft Entra ID is different from the user who is signed in to the "
         "device."},
        {"90002", 400, "invalid_request", 90002, "",
         "Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into "
         "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
         "subscriptions for the tenant."},
        {"90005", 400, "invalid_request", 90005, "",
         "Unable to complete request. The request isn't valid because the identifier and login hint can't be used "
         "together."},
        {"90006", 503, "temporarily_unavailable", 90006, "", "External server retryable error. Please try again."},
        {"90008", 400, "invalid_grant", 90008, "consent_required",
         "The user or administrator has not consented to use the application with ID 'rohrpost-sim'. This happened "
         "because application is misconfigured: it must require access to Windows Azure Active Directory by specifying "
         "at least 'Sign in and read user profile' permission."},
        {"90012", 504, "temporarily_unavailable", 90012, "", "Request has timed out. Please try again."},
        {"90014", 400, "invalid_request", 90014, "",
         "The required field 'scope' is missing from the credential. Ensure that you have all the necessary parameters "
         "for the login request."},
        {"90015", 400, "invalid_request", 90015, "", "Requested query string is too long."},
        {"90016", 400, "invalid_request", 90016, "", "The required claim is missing from the access token."},
        {"90019", 400, "invalid_request", 90019, "",
         "No tenant-identifying information found in either the request or implied by any provided credentials."},
        {"90023", 400, "invalid_request", 90023, "", "The authentication service request isn't valid."},
        {"90024", 503, "temporarily_unavailable", 90024, "",
         "A transient error has occurred: the request budget was exceeded. Please try again."},
        {"90033", 503, "temporarily_unavailable", 90033, "",
         "A transient error has occurred: the Microsoft Online Directory Service is temporarily unavailable. Please "
         "try again."},
        {"90038", 400, "invalid_request", 90038, "",
         "Tenant 'Sim' request is being redirected to the National Cloud 'MicrosoftOnline.DE'."},
        {"90043", 400, "invalid_request", 90043, "", "The national cloud code is not valid."},
        {"90051", 400, "invalid_request", 90051, "",
         "Invalid national cloud ID: the delegation token contains an invalid national cloud identifier."},
        {"90055", 429, "temporarily_unavailable", 90055, "",
         "The server is terminating the request because there are too many incoming requests from the tenant.", 60},
        {"90056", 400, "invalid_request", 90056, "",
         "The resource is disabled or does not exist. Check your app's code to ensure that you have specified the "
         "exact resource URL for the resource you're trying to access."},
        {"90072", 400, "invalid_grant", 90072, "basic_action",
         "User account 'alien@other.test' from identity provider 'https://other.test/' does not exist in tenant 'Sim' "
         "and cannot access the application 'rohrpost-sim' in that tenant. The account needs to be added as an "
         "external user in the tenant first. Sign out and sign in again with a different user account."},
        {"90090", 503, "server_error", 90090, "", "GraphRetryableError - The service is temporarily unavailable."},
        {"90094", 400, "invalid_grant", 90094, "consent_required",
         "The grant requires administrator permissions. The app needs permissions to access resources in your "
         "organization that only an admin can grant."},
        {"90095", 400, "invalid_grant", 90095, "consent_required",
         "Admin consent is required for the permissions requested by this application. An admin consent request may be "
         "sent to the admin."},
        {"90099", 400, "unauthorized_client", 90099, "",
         "The application 'rohrpost-sim' (Rohrpost) hasn't been authorized in the tenant 'Sim'. Applications must be "
         "authorized to access the external tenant before partner delegated administrators can use them."},
        {"90100", 400, "invalid_request", 90100, "", "The 'code' parameter is empty or not valid."},
        {"90101", 400, "invalid_request", 90101, "",
         "Supplied data isn't a valid email address. The email address must be in the format someone@example.com."},
        {"90102", 400, "invalid_request", 90102, "", "'redirect_uri' value must be a valid absolute URI."},
        {"90107", 400, "invalid_request", 90107, "",
         "Request is not valid. Make sure your data doesn't have invalid characters."},
        {"90117", 400, "invalid_request", 90117, "", "Invalid request input."},
        {"90119", 400, "bad_verification_code", 90119, "", "The user code is null or empty."},
        {"90120", 400, "bad_verification_code", 90120, "",
         "The user code is already approved and can't be used again."},
        {"90121", 400, "invalid_request", 90121, "", "Invalid empty request."},
        {"90124", 400, "invalid_request", 90124, "",
         "Resource 'https://outlook.office365.com/' is not supported over the /common or /consumers endpoints. Please "
         "use the /organizations or tenant-specific endpoint."},
        {"90130", 400, "invalid_request", 90130, "",
         "Application 'rohrpost-sim' (Rohrpost) is not supported over the /common or /consumers endpoints. Please use "
         "the /organizations or tenant-specific endpoint."},
        {"500011", 400, "invalid_resource", 500011, "",
         "The resource principal named https://outlook.example was not found in the tenant named Sim. This can happen "
         "if the application has not been installed by the administrator of the tenant or consented to by any user in "
         "the tenant. You might have sent your authentication request to the wrong tenant."},
        {"500021", 400, "access_denied", 500021, "message_only",
         "Access to 'Sim' tenant is denied. Your company's tenant restriction policy does not allow this tenant."},
        {"500022", 400, "access_denied", 500022, "message_only",
         "Access to 'Sim' organization is denied. The tenant restriction V2 policy of your organization blocks it."},
        {"500133", 400, "invalid_grant", 500133, "",
         "Assertion is not within its valid time range. Ensure that the access token is not expired before using it "
         "for user assertion, or request a new token. Current time: 2026-11-26T12:00:00.0000000Z, expiry time of "
         "assertion 2026-11-26T11:00:00.0000000Z."},
        {"500208", 400, "invalid_request", 500208, "",
         "The domain is not a valid login domain for the account type: the account can't be used with this "
         "application."},
        {"500212", 400, "access_denied", 500212, "message_only",
         "The user's administrator has set an outbound access policy that does not allow access to the resource "
         "tenant."},
        {"500213", 400, "access_denied", 500213, "message_only",
         "The resource tenant's cross-tenant access policy does not allow this user to access this tenant."},
        {"501481", 400, "invalid_grant", 501481, "",
         "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
        {"501491", 400, "invalid_request", 501491, "", "Invalid size of Code_Challenge parameter."},
        {"530032", 400, "invalid_grant", 530032, "message_only",
         "User blocked due to risk on home tenant, or access was blocked by a security policy: the tenant admin has "
         "configured a security policy that blocks this request."},
        {"530034", 400, "invalid_grant", 530034, "message_only",
         "A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant."},
        {"530035", 400, "invalid_grant", 530035, "message_only",
         "Access has been blocked by security defaults. This is due to the request using legacy auth or being deemed "
         "unsafe by security defaults policies."},
        {"650052", 401, "invalid_client", 650052, "",
         "The app is trying to access a service '00000002-0000-0ff1-ce00-000000000000' (Office 365 Exchange Online) "
         "that your organization 'Sim' lacks a service principal for. Contact your IT Admin to review the "
         "configuration of your service subscriptions or consent to the application in order to create the required "
         "service principal."},
        {"650054", 401, "invalid_client", 650054, "",
         "The application 'rohrpost-sim' asked for permissions to access a resource that has been removed or is no "
         "longer available."},
        {"650056", 401, "invalid_client", 650056, "",
         "Misconfigured application. This could be due to one of the following: the client has not listed any "
         "permissions for the resource in the requested permissions in the client's application registration, or the "
         "admin has not consented in the tenant."},
        {"650057", 400, "invalid_resource", 650057, "",
         "Invalid resource. The client has requested access to a resource which is not listed in the requested "
         "permissions in the client's application registration."},
        {"700005", 400, "invalid_grant", 700005, "",
         "Provided Authorization Code is intended to use against other tenant, thus rejected."},
        {"700011", 400, "unauthorized_client", 700011, "",
         "Application with identifier 'rohrpost-sim' was not found in the directory 'Sim'. A request was sent with an "
         "unknown appid."},
        {"700016", 400, "unauthorized_client", 700016, "",
         "Application with identifier 'rohrpost-sim' was not found in the directory 'Sim'. This can happen if the "
         "application has not been installed by the administrator of the tenant or consented to by any user in the "
         "tenant. You may have sent your authentication request to the wrong tenant."},
        {"700020", 400, "interaction_required", 700020, "basic_action",
         "This sign-in requires the access review or terms of use of the external claims provider: interaction is "
         "required."},
        {"700022", 400, "invalid_request", 700022, "",
         "The provided value for the input parameter scope is not valid because it contains more than one resource."},
        {"700023", 401, "invalid_client", 700023, "",
         "Client assertion audience claim does not match Realm issuer. Review the documentation at "
         "https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials."},
        {"700024", 401, "invalid_client", 700024, "", "Client assertion is not within its valid time range."},
        {"700025", 401, "invalid_client", 700025, "",
         "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."},
        {"700027", 401, "invalid_client", 700027, "",
         "The certificate with identifier used to sign the client assertion is not registered on application. [Reason "
         "- The key was not found.]"},
        {"700030", 401, "invalid_client", 700030, "",
         "Invalid certificate - subject name in certificate isn't authorized. SubjectNames/SubjectAlternativeNames (up "
         "to 10) in token certificate are: rohrpost."},
        {"700054", 400, "unsupported_response_type", 700054, "",
         "response_type 'id_token' is not enabled for the application."},
        {"700082", 400, "invalid_grant", 700082, "token_expired",
         "The refresh token has expired due to inactivity. The token was issued on 2026-01-01T00:00:00.0000000Z and "
         "was inactive for 90.00:00:00."},
        {"700084", 400, "invalid_grant", 700084, "token_expired",
         "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of "
         "1.00:00:00, which can't be extended. It is now expired and a new sign in request must be sent by the SPA to "
         "the sign in page."},
        {"900144", 400, "invalid_request", 900144, "",
         "The request body must contain the following parameter: 'client_id'."},
        {"900382", 401, "invalid_client", 900382, "", "Confidential Client is not supported in Cross Cloud request."},
        {"900384", 400, "invalid_request", 900384, "",
         "JWT token failed signature validation. The token is malformed."},
        {"900432", 401, "invalid_client", 900432, "", "Confidential Client is not supported in Cross Cloud request."},
        {"900561", 400, "invalid_request", 900561, "",
         "The endpoint only accepts POST requests. Received a GET request."},
        {"900971", 400, "invalid_request", 900971, "", "No reply address provided."},
        {"901002", 400, "invalid_request", 901002, "", "The 'resource' request parameter is not supported."},
        {"1000031", 400, "unauthorized_client", 1000031, "",
         "Application rohrpost-sim (Rohrpost) cannot be accessed at this time. Contact your administrator."},
        {"1000104", 400, "invalid_request", 1000104, "",
         "XCB2BResourceCloudNotAllowedOnIdentityTenant - Resource cloud microsoftonline.us isn't allowed on identity "
         "tenant Sim."},
        {"1002012", 400, "invalid_scope", 1002012, "",
         "The provided value for scope is not valid. Client credential flows must have a scope value with /.default "
         "suffixed to the resource identifier (application ID URI)."},
        {"7000112", 400, "unauthorized_client", 7000112, "", "Application 'rohrpost-sim'(Rohrpost) is disabled."},
        {"7000215", 401, "invalid_client", 7000215, "",
         "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
         "the client secret ID, for a secret added to app 'rohrpost-sim'."},
        {"7000218", 401, "invalid_client", 7000218, "",
         "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
        {"7000222", 401, "invalid_client", 7000222, "",
         "The provided client secret keys for app 'rohrpost-sim' are expired. Visit the Azure portal to create new "
         "keys for your app, or consider using certificate credentials for added security."},
        {"9001023", 400, "invalid_request", 9001023, "",
         "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or "
         "tenant-specific endpoint."},
        {"9002313", 400, "invalid_request", 9002313, "", "Invalid request. Request is malformed or invalid."},
        {"9002325", 400, "invalid_request", 9002325, "",
         "Proof Key for Code Exchange is required for cross-origin authorization code redemption."},
        {"9002332", 400, "invalid_request", 9002332, "",
         "Application 'rohrpost-sim'(Rohrpost) is configured for use by Azure Active Directory users only. Please do "
         "not use the /consumers endpoint to serve this request."},
        {"500112", 400, "invalid_grant", 500112, "",
         "The reply address does not match the reply address provided when requesting Authorization code."},
        {"slow_down", 400, "slow_down", 70016, "",
         "OAuth 2.0 device flow error. The client polls too often: slow down."},
        {"authorization_declined", 400, "authorization_declined", 0, "",
         "The end user has denied the authorization request of the device code."},
        {"invalid_grant", 400, "invalid_grant", 70000, "", "The provided grant is not valid."},
        {"interaction_required", 400, "interaction_required", 50076, "basic_action",
         "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
         "use multi-factor authentication."},
        {"consent_required", 400, "consent_required", 65001, "consent_required",
         "The user or administrator has not consented to use the application."},
        {"login_required", 400, "login_required", 50058, "",
         "A silent sign-in request was sent but no user is signed in."},
        {"invalid_client", 401, "invalid_client", 7000215, "", "Invalid client secret provided."},
        {"invalid_client_400", 400, "invalid_client", 7000215, "", "Invalid client secret provided."},
        {"unauthorized_client", 400, "unauthorized_client", 700016, "",
         "Application with identifier 'rohrpost-sim' was not found in the directory 'Sim'."},
        {"invalid_scope", 400, "invalid_scope", 70011, "",
         "The provided value for the input parameter 'scope' is not valid."},
        {"invalid_resource", 400, "invalid_resource", 500011, "",
         "The resource principal was not found in the tenant named Sim."},
        {"unsupported_grant_type", 400, "unsupported_grant_type", 70003, "",
         "The app requested an unsupported grant type."},
        {"invalid_request", 400, "invalid_request", 9002313, "", "Invalid request. Request is malformed or invalid."},
        {"access_denied", 400, "access_denied", 65004, "", "User declined to consent to access the app."},
        {"server_error", 500, "server_error", 50033, "", "A transient error has occurred. Please try again."},
        {"temporarily_unavailable", 503, "temporarily_unavailable", 90033, "",
         "A transient error has occurred. Please try again."},
        {"suberror_basic_action", 400, "invalid_grant", 50076, "basic_action",
         "You must use multi-factor authentication."},
        {"suberror_additional_action", 400, "invalid_grant", 53000, "additional_action",
         "Device is not in required device state: compliant."},
        {"suberror_message_only", 400, "invalid_grant", 53003, "message_only",
         "Access has been blocked by Conditional Access policies."},
        {"suberror_consent_required", 400, "invalid_grant", 65001, "consent_required",
         "The user or administrator has not consented to use the application."},
        {"suberror_user_password_expired", 400, "invalid_grant", 50055, "user_password_expired",
         "The password is expired."},
        {"suberror_bad_token", 400, "invalid_grant", 50173, "bad_token",
         "The provided grant has expired due to it being revoked."},
        {"suberror_token_expired", 400, "invalid_grant", 700082, "token_expired",
         "The refresh token has expired due to inactivity."},
        {"suberror_protection_policy_required", 400, "invalid_grant", 53002, "protection_policy_required",
         "Application used is not an approved application for conditional access."},
        {"suberror_client_mismatch", 400, "invalid_grant", 70000, "client_mismatch",
         "The provided refresh token was issued to another client."},
        {"suberror_device_authentication_failed", 400, "invalid_grant", 50097, "device_authentication_failed",
         "Device authentication is required."},
        {"unlisted", 400, "invalid_grant", 9999999, "", "A number that is in no list."},
        {"throttled", 429, "temporarily_unavailable", 90055, "",
         "The server is terminating the request because there are too many incoming requests from the tenant.", 60},
        {.name = "throttled_text", .status = 429, .error = "", .words = "Too Many Requests", .plain_text = true},
        {.name = "html",
         .status = 503,
         .error = "",
         .words = "<html><body><h1>Our services aren't available right now</h1></body></html>",
         .plain_text = true},
    };
    return all;
}

const std::vector<Refusal>& google_refusals() {
    static const std::vector<Refusal> all{
        {"google_revoked", 400, "invalid_grant", 0, "", "Token has been expired or revoked."},
        {"google_bad_request", 400, "invalid_grant", 0, "", "Bad Request"},
        {"google_malformed_code", 400, "invalid_grant", 0, "", "Malformed auth code."},
        {"google_invalid_jwt", 400, "invalid_grant", 0, "",
         "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat "
         "and exp values in the JWT claim."},
        {"google_invalid_jwt_signature", 400, "invalid_grant", 0, "", "Invalid JWT Signature."},
        {"google_invalid_user", 400, "invalid_grant", 0, "", "Invalid email or User ID"},
        {"google_account_not_found", 400, "invalid_grant", 0, "", "Invalid grant: account not found"},
        {"google_client_not_found", 401, "invalid_client", 0, "", "The OAuth client was not found."},
        {"google_unauthorized", 401, "invalid_client", 0, "", "Unauthorized"},
        {"google_unauthorized_client", 401, "unauthorized_client", 0, "",
         "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the "
         "scopes requested."},
        {"google_redirect_uri_mismatch", 400, "redirect_uri_mismatch", 0, "", "Bad Request"},
        {"google_access_denied", 403, "access_denied", 0, "", "Forbidden"},
        {"google_admin_policy_enforced", 400, "admin_policy_enforced", 0, "",
         "The admin of the domain does not allow this application."},
        {"google_org_internal", 403, "org_internal", 0, "",
         "This client is restricted to users within its organization."},
        {"google_disallowed_useragent", 403, "disallowed_useragent", 0, "",
         "You can't sign in from this screen because this app doesn't comply with Google's secure browsers policy."},
        {"google_invalid_scope", 400, "invalid_scope", 0, "", "Some requested scopes were invalid."},
        {"google_invalid_request", 400, "invalid_request", 0, "", "Missing required parameter: code"},
        {"google_unsupported_grant_type", 400, "unsupported_grant_type", 0, "", "Invalid grant_type"},
        {"google_code_verifier", 400, "invalid_grant", 0, "", "Invalid code verifier."},
        {"google_authorization_pending", 428, "authorization_pending", 0, "", "Precondition Required"},
        {"google_slow_down", 403, "slow_down", 0, "", "Forbidden"},
        {"google_device_denied", 403, "access_denied", 0, "", "Forbidden"},
        {"google_device_expired", 400, "expired_token", 0, "", "Expired token"},
        {"google_rate_limited", 429, "rate_limit_exceeded", 0, "", "Rate Limit Exceeded"},
        {"google_request_timeout", 408, "internal_failure", 0, "", "Request Timeout"},
        {"google_internal_failure", 500, "internal_failure", 0, "", ""},
        {"google_server_error", 500, "server_error", 0, "", "Backend Error"},
        {"google_unavailable", 503, "temporarily_unavailable", 0, "", "The service is currently unavailable."},
        {"google_gateway_timeout", 504, "internal_failure", 0, "", "Deadline exceeded"},
    };
    return all;
}

const Refusal* refusal_named(std::string_view name) {
    for (const auto* list : {&entra_refusals(), &google_refusals()}) {
        const auto found =
            std::find_if(list->begin(), list->end(), [&](const Refusal& one) { return one.name == name; });
        if (found != list->end()) return &*found;
    }
    return nullptr;
}

const Refusal& entra_refusal(int code) {
    const Refusal* found = refusal_named(std::to_string(code));
    if (found == nullptr) std::abort();
    return *found;
}

}  // namespace sim
