// Folders of the system, which must never become the server's: whoever gives these away gives the machine away.

/** Whether the path is one of them, or below one that holds only what root and packages put there. */
export function isSystemFolder(folder: string): boolean {
  return SYSTEM.test(folder);
}

const SYSTEM =
  /^\/(?:(?:etc|usr\/(?!local\/)[^/]+|bin|sbin|lib\w*|boot|root|proc|sys|dev|run)(?:\/.*)?|usr|home|var(?:\/\w+)?|tmp|opt|srv|mnt|media)?\/?$/;
