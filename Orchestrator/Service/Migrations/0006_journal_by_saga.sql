-- A message is taken once by a saga, not once by all of them: what one saga was sent says nothing of another's messages.
-- Sagas are in the order of time, so the index is written where it was written last, whatever ids publishers choose.
ALTER TABLE saga_step DROP CONSTRAINT saga_step_once_per_message;
ALTER TABLE saga_step ADD CONSTRAINT saga_step_once_per_message UNIQUE (saga_id, message_id);
