import Contracts
import Crypto
import FoundationEssentials
import WireJSON

/// The hash by which a repeated request is told from another one under the same key.
package enum Fingerprint {
    package static func of(_ value: some Encodable) throws(Problem) -> Data {
        do {
            return Data(SHA256.hash(data: try WireFormat.canonical(value)))
        } catch {
            throw Problem(.internalError, "the request cannot be fingerprinted")
        }
    }
}
