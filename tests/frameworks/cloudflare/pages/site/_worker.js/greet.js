export const greet = (env) => `${env.GREETING} from Pages\n`;
