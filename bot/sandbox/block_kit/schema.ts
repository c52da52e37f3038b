// The shapes that block_kit.schema.json is generated from: what an app may send on each surface.
// @slack/types declares `blocks` of views and attachments as "known block or anything"; only known ones are meant here.
import type { HomeView, KnownBlock, MessageAttachment, ModalView } from '@slack/types';

type WithKnownBlocks<T> = Omit<T, 'blocks'> & { blocks: KnownBlock[] };

export type Modal = WithKnownBlocks<ModalView>;
export type Home = WithKnownBlocks<HomeView>;
export type Attachment = Omit<MessageAttachment, 'blocks'> & { blocks?: KnownBlock[] };

export interface BlockKit {
  blocks?: KnownBlock[];
  modal?: Modal;
  home?: Home;
  attachment?: Attachment;
}
