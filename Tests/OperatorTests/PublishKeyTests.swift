import Foundation
import Testing

@testable import turnstile

/// How publishing a file twice is one event.
@Suite struct `The key of a published file` {
    @Test func `follows from its bytes, and fits a header`() {
        let file = Data(#"{"name":"Concert"}"#.utf8)
        let key = Events.Publish.key(for: file)
        #expect(key == Events.Publish.key(for: file))
        #expect(key != Events.Publish.key(for: file + Data(" ".utf8)))
        #expect(key.wholeMatch(of: #/file-[0-9a-f]{64}/#) != nil)
    }
}
