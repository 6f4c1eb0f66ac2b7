/// Takes out of a log line what must not be in it: the credentials of addresses, e-mail addresses, passwords and keys.
///
/// A net behind those who write log lines, for errors quote what the world sent them.
package enum Redaction {
    package static func redact(_ text: String) -> String {
        var text = text
        if text.utf8.contains(UInt8(ascii: "@")) {
            text.replace(#/:\/\/[^\/\s]*@/#, with: "://***@")
            text.replace(#/[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+/#, with: "***@***")
        }
        let secret =
            #/(?<name>(?:password|passwd|secret|authorization|operator_keys?|api_?key)["']?\s*[:=]\s*["']?(?:bearer\s+)?)[^\s"',;&}]+/#
            .ignoresCase()
        if text.utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }) {
            text.replace(secret) { "\($0.output.name)***" }
        }
        return text
    }
}
