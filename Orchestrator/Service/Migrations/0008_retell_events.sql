-- When to look whether the recommendation worker knows an event; nil once it does. Events of before are looked at too.
ALTER TABLE event ADD COLUMN places_due_at timestamptz DEFAULT now() + interval '10 seconds';
CREATE INDEX event_places_due ON event (places_due_at) WHERE places_due_at IS NOT NULL;
